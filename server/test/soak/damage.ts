import { createHash } from 'node:crypto';

export type Harm = 'flipped' | 'cut' | 'deleted';

/** Blobs that were harmed behind the servers' backs, by SHA-256 in hex. */
export class Damage {
  readonly #harmed = new Map<string, { readonly harm: Harm; readonly at: number; served: number }>();

  /** Put into the store without a row, by SHA-256 in hex. */
  readonly orphans = new Set<string>();

  orphan(bytes: Uint8Array): string {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    this.orphans.add(sha256);
    return sha256;
  }

  forgetOrphan(sha256: string): void {
    this.orphans.delete(sha256);
  }

  add(sha256: string, harm: Harm): void {
    this.#harmed.set(sha256, { harm, at: Date.now(), served: 0 });
  }

  has(sha256: string): boolean {
    return this.#harmed.has(sha256);
  }

  /** Whether wrong bytes of it are our own doing; they are counted. */
  explains(sha256: string): boolean {
    const found = this.#harmed.get(sha256);
    if (found?.harm !== 'flipped') return false;
    found.served += 1;
    return true;
  }

  get served(): number {
    return [...this.#harmed.values()].reduce((sum, { served }) => sum + served, 0);
  }

  of(harm: Harm): readonly string[] {
    return [...this.#harmed].filter(([, one]) => one.harm === harm).map(([sha256]) => sha256);
  }
}
