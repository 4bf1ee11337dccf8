import { Fault } from '../fault.ts';
import type { Body } from '../format.ts';
import type { Delivery, Listing, Source } from '../source.ts';

/** A member that is declared and cannot be served: what it may have is not handed to the members after it. */
export class AwaySource implements Source {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  async index(): Promise<Listing> {
    throw this.#away();
  }

  async artifact(): Promise<Delivery> {
    throw this.#away();
  }

  async call(): Promise<Body> {
    throw this.#away();
  }

  #away(): Fault {
    return new Fault('unavailable', `"${this.#name}" is declared in a way that this version cannot serve.`);
  }
}
