import { note } from './trail.ts';

/** One run per key at a time: who comes while it is under way gets the same promise, its failure included. */
export class Flights<Result> {
  readonly #running = new Map<string, Promise<Result>>();

  run(key: string, start: () => Promise<Result>): Promise<Result> {
    const running = this.#running.get(key);
    if (running) return joined(running);
    const flight = start().finally(() => this.#running.delete(key));
    this.#running.set(key, flight);
    return flight;
  }
}

/** What another request has already asked for. */
export function joined<Result>(running: Promise<Result>): Promise<Result> {
  note({ joined: true });
  return running;
}
