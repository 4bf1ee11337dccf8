import { Controller, Get, Inject, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Configuration } from '../app/configuration.ts';
import { bytes } from '../contract/index.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Space, SpaceStatus } from '../space/space.ts';
import { CONFIGURATION, JOURNAL, LEDGER, LIMITS, SPACE } from './dependencies.ts';
import { Query } from './query.ts';

/** How much there is, and what is done about it. */
@Controller('api/v2/stats')
export class StatsController {
  readonly #configuration: Pick<Configuration, 'snapshot'>;
  readonly #journal: { drain(): Promise<void> };
  readonly #ledger: Pick<Ledger, 'stats' | 'sizes'>;
  readonly #limits: { readonly store?: number };
  readonly #space: Pick<Space, 'status'>;

  constructor(
    @Inject(CONFIGURATION) configuration: Pick<Configuration, 'snapshot'>,
    @Inject(JOURNAL) journal: { drain(): Promise<void> },
    @Inject(LEDGER) ledger: Pick<Ledger, 'stats' | 'sizes'>,
    @Inject(LIMITS) limits: { readonly store?: number },
    @Inject(SPACE) space: Pick<Space, 'status'>,
  ) {
    this.#configuration = configuration;
    this.#journal = journal;
    this.#ledger = ledger;
    this.#limits = limits;
    this.#space = space;
  }

  @Get()
  async stats(@Req() request: FastifyRequest): Promise<object> {
    new Query(request.url, []);
    await this.#journal.drain();
    const [{ byRepository, ...counts }, { orphanedBytes }, status] = await Promise.all([
      this.#ledger.stats(),
      this.#ledger.sizes(),
      this.#space.status(),
    ]);
    const limits = this.#declared();
    return {
      ...counts,
      ...(this.#limits.store === undefined ? {} : { limit: this.#limits.store }),
      orphaned_bytes: orphanedBytes,
      by_repository: byRepository.map((one) => ({ ...one, ...limitOf(limits.get(one.repository)) })),
      ...shown(status),
    };
  }

  #declared(): ReadonlyMap<string, number> {
    const rows = [...this.#configuration.snapshot.resources.values()];
    return new Map(
      rows.flatMap(({ name, spec: { max_size: size } }): [string, number][] =>
        typeof size === 'string' ? [[name, bytes(size)]] : [],
      ),
    );
  }
}

function limitOf(limit: number | undefined): { readonly limit?: number } {
  return limit === undefined ? {} : { limit };
}

function shown({ sweep, scrub, quarantined, lost }: SpaceStatus): object {
  const { since, blobs = 0, bytes = 0, last } = scrub;
  const date = (at: number): string => new Date(at).toISOString();
  return {
    ...(sweep.walkedAt === undefined ? {} : { swept_at: date(sweep.walkedAt) }),
    scrub: {
      ...(since === undefined ? {} : { since: date(since) }),
      blobs,
      bytes,
      ...(last === undefined ? {} : { last: { ...last, at: date(last.at) } }),
    },
    quarantined,
    lost: lost.map(({ since: at, ...one }) => ({ ...one, since: date(at) })),
  };
}
