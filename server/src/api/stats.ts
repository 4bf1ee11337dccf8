import { Controller, Get, Inject, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Ledger } from '../ledger/ledger.ts';
import { JOURNAL, LEDGER } from './dependencies.ts';
import { Query } from './query.ts';

/** How much there is. */
@Controller('api/v2/stats')
export class StatsController {
  readonly #journal: { drain(): Promise<void> };
  readonly #ledger: Pick<Ledger, 'stats'>;

  constructor(@Inject(JOURNAL) journal: { drain(): Promise<void> }, @Inject(LEDGER) ledger: Pick<Ledger, 'stats'>) {
    this.#journal = journal;
    this.#ledger = ledger;
  }

  @Get()
  async stats(@Req() request: FastifyRequest): Promise<object> {
    new Query(request.url, []);
    await this.#journal.drain();
    const { byRepository, ...counts } = await this.#ledger.stats();
    return { ...counts, by_repository: byRepository };
  }
}
