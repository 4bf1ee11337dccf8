/** One part of the service: works when `check` resolves; rejects with a sentence fit for a person. */
export interface Part {
  readonly name: string;
  check(): Promise<void>;
}

export interface CheckResult {
  readonly status: 'ok' | 'failing';
  readonly message?: string;
}

export interface HealthDeps {
  /** Without which it cannot serve. */
  readonly parts: readonly Part[];
  /** Upstreams: one that fails is no reason to take this server out of service. */
  readonly upstreams: () => readonly { readonly name: string; readonly healthy: boolean; readonly message?: string }[];
  readonly now: () => number;
}

/** Milliseconds for which an answer holds: anybody may ask, and a check writes to the disk. */
const HOLDS = 1000;

/** Whether the parts of the service work, and whether it takes requests. */
export class Health {
  readonly #deps: HealthDeps;
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
    const checks = this.#deps.parts.map(async ({ name, check }): Promise<[string, CheckResult]> => {
      try {
        await check();
        return [name, { status: 'ok' }];
      } catch (error) {
        return [name, { status: 'failing', message: error instanceof Error ? error.message : String(error) }];
      }
    });
    return new Map(await Promise.all(checks));
  }
}
