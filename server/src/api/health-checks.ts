import { setTimeout as pause } from 'node:timers/promises';

/** One part of the service: works when `check` resolves; rejects with a sentence fit for a person. */
export interface Part {
  readonly name: string;
  /** It goes on without: a failure is told, and takes nobody out of service. */
  readonly isOptional?: boolean;
  check(): Promise<void>;
}

export interface CheckResult {
  /** `degraded`: it serves all the same. */
  readonly status: 'ok' | 'degraded' | 'failing';
  readonly message?: string;
  /** How long the check took, in milliseconds. */
  readonly latency_ms?: number;
}

export interface HealthDeps {
  /** Without which it cannot serve. */
  readonly parts: readonly Part[];
  /** Upstreams: one that fails is no reason to take this server out of service. */
  readonly upstreams: () => readonly { readonly name: string; readonly healthy: boolean; readonly message?: string }[];
  readonly now: () => number;
  /** Milliseconds after which a part that has not answered counts as failing; its check goes on alone until it has. */
  readonly patience?: number;
}

/** Milliseconds for which an answer holds: anybody may ask, and a check writes to the disk. */
const HOLDS = 1000;
const PATIENCE = 2000;

interface Asked {
  /** `performance.now()` */
  readonly at: number;
  /** Undefined: it works. Never rejects. */
  readonly failure: Promise<string | undefined>;
}

/** Whether the parts of the service work, and whether it takes requests. */
export class Health {
  readonly #deps: HealthDeps;
  readonly #running = new Map<string, Asked>();
  #refusing: string | undefined = 'it is starting';
  #known: { readonly at: number; readonly checks: Promise<ReadonlyMap<string, CheckResult>> } | undefined;

  constructor(deps: HealthDeps) {
    this.#deps = deps;
  }

  /** By name of the part. */
  checks(): Promise<ReadonlyMap<string, CheckResult>> {
    const now = this.#deps.now();
    if (!this.#known || now - this.#known.at >= HOLDS) this.#known = { at: now, checks: this.#check() };
    return this.#known.checks;
  }

  upstreams(): ReadonlyMap<string, CheckResult> {
    return new Map(
      this.#deps
        .upstreams()
        .map(({ name, healthy, message }) => [
          `upstream:${name}`,
          { status: healthy ? 'ok' : 'failing', ...(message === undefined ? {} : { message }) },
        ]),
    );
  }

  /** Why it takes no requests at the moment. */
  async refusing(): Promise<string | undefined> {
    if (this.#refusing !== undefined) return this.#refusing;
    const failing = [...(await this.checks())].filter(([, { status }]) => status === 'failing').map(([name]) => name);
    return failing.length > 0 ? `${failing.join(', ')} ${failing.length > 1 ? 'fail' : 'fails'}` : undefined;
  }

  /** From now on it takes requests; or with a reason, it does not. */
  accept(): void {
    this.#refusing = undefined;
  }

  refuse(reason: string): void {
    this.#refusing = reason;
  }

  async #check(): Promise<ReadonlyMap<string, CheckResult>> {
    const checks = this.#deps.parts.map(async (part): Promise<[string, CheckResult]> => {
      const asked = this.#asked(part);
      const late = new AbortController();
      const failure = await Promise.race([
        asked.failure,
        pause(this.#deps.patience ?? PATIENCE, undefined, { signal: late.signal }).then(
          () => `it has not answered for ${Math.round((performance.now() - asked.at) / 1000)} s`,
          () => undefined,
        ),
      ]);
      late.abort();
      const latency = { latency_ms: Math.round(performance.now() - asked.at) };
      if (failure === undefined) return [part.name, { status: 'ok', ...latency }];
      return [part.name, { status: part.isOptional ? 'degraded' : 'failing', message: failure, ...latency }];
    });
    return new Map(await Promise.all(checks));
  }

  /** A part that hangs is not asked again before it has answered. */
  #asked(part: Part): Asked {
    const running = this.#running.get(part.name);
    if (running) return running;
    const failure = part.check().then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    const asked = { at: performance.now(), failure };
    this.#running.set(part.name, asked);
    void failure.then(() => this.#running.delete(part.name));
    return asked;
  }
}
