/** What a request may need, and a fault may break. */
export const PARTS = ['upstream', 'database', 'store', 'coordination', 'process'] as const;
export type Part = (typeof PARTS)[number];

export interface Trouble {
  readonly name: string;
  readonly breaks: readonly Part[];
  /** Which server; undefined: all. */
  readonly server?: number;
  readonly began: number;
  /** Epoch milliseconds; undefined: it lasts. */
  ended?: number;
  /** How long after its end what it broke may still be broken, in milliseconds. */
  readonly settles: number;
}

/** Which faults there were when, so that it can be said what may fail at a time. */
export class Weather {
  readonly #troubles: Trouble[] = [];

  begin(trouble: Trouble): void {
    this.#troubles.push(trouble);
  }

  get now(): readonly Trouble[] {
    return this.#troubles.filter(({ ended }) => ended === undefined);
  }

  /** Whether anything ever went wrong. */
  get wasBad(): boolean {
    return this.#troubles.length > 0;
  }

  /** Those that may have broken one of the parts between the two times. */
  between(began: number, ended: number, parts: readonly Part[], server?: number): readonly Trouble[] {
    return this.#troubles.filter(
      (trouble) =>
        trouble.began <= ended &&
        (trouble.ended === undefined || trouble.ended + trouble.settles >= began) &&
        (server === undefined || trouble.server === undefined || trouble.server === server) &&
        trouble.breaks.some((part) => parts.includes(part)),
    );
  }
}
