import type { Ledger } from '../ledger/ledger.ts';

/** What the work in the background remembers across restarts, for every process: facts of the ledger. */
export class Progress<State> {
  readonly #ledger: Pick<Ledger, 'fact' | 'setFact'>;
  readonly #key: string;

  constructor(ledger: Pick<Ledger, 'fact' | 'setFact'>, key: string) {
    this.#ledger = ledger;
    this.#key = `space.${key}`;
  }

  async read(): Promise<Partial<State>> {
    return JSON.parse((await this.#ledger.fact(this.#key)) ?? '{}') as Partial<State>;
  }

  async write(state: State): Promise<void> {
    await this.#ledger.setFact(this.#key, JSON.stringify(state));
  }
}
