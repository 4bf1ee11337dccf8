import { FOREVER, type Freshness } from '../../ledger/ledger.ts';

/** How long a copy may be used, in milliseconds; from the remote's spec. */
export interface Terms {
  readonly ttl: number;
  /** After `ttl`, how long the copy still answers at once while the upstream is asked behind. */
  readonly whileRevalidating: number;
  /** After `ttl`, how long the copy answers for an upstream that cannot. */
  readonly ifError: number;
}

export type Verdict = 'fresh' | 'revalidate_behind' | 'revalidate_first';

/** A clock that jumped back makes copies look fresh for too long: one checked this far in the future is asked again. */
const CLOCK_SLACK = 60_000;

export function verdict(copy: Freshness, terms: Terms, now: number): Verdict {
  if (copy.checkedAt > now + CLOCK_SLACK) return 'revalidate_first';
  if (now < copy.freshUntil) return 'fresh';
  return now < copy.freshUntil + terms.whileRevalidating ? 'revalidate_behind' : 'revalidate_first';
}

export function usableOnError(copy: Freshness, terms: Terms, now: number): boolean {
  return now < copy.freshUntil + terms.ifError;
}

/** Asks the upstream whether the copy is still what it has (RFC 9110 §13.1). */
export function conditions(copy: Freshness): Record<string, string> {
  return {
    ...(copy.etag === undefined ? {} : { 'if-none-match': copy.etag }),
    ...(copy.lastModified === undefined ? {} : { 'if-modified-since': copy.lastModified }),
  };
}

/** What a response's headers say about the next revalidation; `ttl` in milliseconds. */
export function freshnessOf(headers: Readonly<Record<string, string>>, now: number, ttl: number): Freshness {
  const etag = headers['etag'];
  const lastModified = headers['last-modified'];
  return {
    checkedAt: now,
    freshUntil: Math.min(now + ttl, FOREVER),
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { lastModified }),
  };
}

/**
 * What the upstream said does not exist. Only its own 404 or 410 enters here, never an outage, so that a package does not
 * vanish because a network did.
 */
export class Absences {
  readonly #known = new Map<string, Absence>();

  constructor(
    readonly ttl: number,
    readonly most = 50_000,
  ) {}

  find(path: string, now: number): Absence | undefined {
    const absence = this.#known.get(path);
    return absence && now < absence.until && absence.until <= now + this.ttl ? absence : undefined;
  }

  /** What it said last, up to `ifError` milliseconds after its time. */
  last(path: string, now: number, ifError: number): Absence | undefined {
    const absence = this.#known.get(path);
    return absence && now < absence.until + ifError && absence.until <= now + this.ttl ? absence : undefined;
  }

  /** `status`: the upstream's, 404 or 410. */
  add(path: string, now: number, status: number): void {
    if (this.#known.size >= this.most) this.#known.clear();
    this.#known.set(path, { until: now + this.ttl, status });
  }

  forget(path: string): void {
    this.#known.delete(path);
  }

  clear(): void {
    this.#known.clear();
  }
}

export interface Absence {
  readonly until: number;
  readonly status: number;
}
