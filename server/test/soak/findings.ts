const EXAMPLES = 5;

export interface Finding {
  /** A sentence; findings with the same one are counted together. */
  readonly what: string;
  count: number;
  /** The first few, with what is needed to look them up. */
  readonly examples: string[];
}

/** Everything that is wrong. */
export class Findings {
  readonly #findings = new Map<string, Finding>();
  readonly #say: (line: string) => void;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  add(what: string, example: string): void {
    const found = this.#findings.get(what) ?? { what, count: 0, examples: [] };
    this.#findings.set(what, found);
    found.count += 1;
    if (found.examples.length >= EXAMPLES) return;
    found.examples.push(example);
    this.#say(`WRONG: ${what}: ${example}`);
  }

  get all(): readonly Finding[] {
    return [...this.#findings.values()];
  }
}
