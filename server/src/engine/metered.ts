import { Fault } from './fault.ts';
import type { ArtifactTarget, Body, CallTarget, IndexTarget } from './format.ts';
import type { Metrics } from './metrics.ts';
import type { Ask, Delivery, Listing, Source } from './source.ts';

/** Counts what a repository answered, and how. */
export class MeteredSource implements Source {
  constructor(
    readonly inner: Source,
    readonly repository: string,
    readonly metrics: Metrics,
  ) {}

  index(target: IndexTarget, ask: Ask): Promise<Listing> {
    return this.#counted('index', this.inner.index(target, ask), (listing) => listing.cache);
  }

  async artifact(target: ArtifactTarget, ask: Ask): Promise<Delivery> {
    const delivery = await this.#refusalsCounted('artifact', this.inner.artifact(target, ask));
    return { ...delivery, open: () => this.#counted('artifact', delivery.open(), (content) => content.cache) };
  }

  call(target: CallTarget, ask: Ask): Promise<Body> {
    return this.#counted('call', this.inner.call(target, ask), () => 'passed');
  }

  async #counted<Answer>(kind: string, asked: Promise<Answer>, result: (answer: Answer) => string): Promise<Answer> {
    const answer = await this.#refusalsCounted(kind, asked);
    this.metrics.requests(this.repository, kind, result(answer)).inc();
    return answer;
  }

  async #refusalsCounted<Answer>(kind: string, asked: Promise<Answer>): Promise<Answer> {
    try {
      return await asked;
    } catch (error) {
      this.metrics.requests(this.repository, kind, error instanceof Fault ? error.code : 'internal').inc();
      throw error;
    }
  }
}
