import type { ArtifactTarget, Body, CallTarget, IndexTarget } from './format.ts';
import type { Ask, Delivery, Listing, Source } from './source.ts';
import { note, traced } from './trail.ts';

/** Notes of each request who had what was asked for, and makes a span of the search. */
export class MeteredSource implements Source {
  constructor(
    readonly inner: Source,
    readonly repository: string,
  ) {}

  async index(target: IndexTarget, ask: Ask): Promise<Listing> {
    const listing = await this.#span('index', target.path, () => this.inner.index(target, ask));
    note({ member: listing.members.map(({ repository }) => repository).join(',') });
    return listing;
  }

  async artifact(target: ArtifactTarget, ask: Ask): Promise<Delivery> {
    const delivery = await this.#span('artifact', target.path, () => this.inner.artifact(target, ask));
    note({ member: delivery.repository });
    return { ...delivery, open: () => this.#span('open', target.path, () => delivery.open()) };
  }

  call(target: CallTarget, ask: Ask): Promise<Body> {
    return this.#span('call', target.path, () => this.inner.call(target, ask));
  }

  #span<Result>(what: string, path: string, run: () => Promise<Result>): Promise<Result> {
    const attributes = { 'entrepot.repository': this.repository, 'entrepot.path': path };
    return traced(`source ${what}`, 'internal', attributes, run);
  }
}
