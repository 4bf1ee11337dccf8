import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { EventFeed, Following } from '../app/event-feed.ts';
import { EVENT_KINDS } from '../engine/events.ts';
import type { FieldError } from '../engine/fault.ts';
import type { FeedPosition } from '../ledger/ledger.ts';
import { FEED } from './dependencies.ts';
import { sent } from './event-stream.ts';
import { Query, wrong } from './query.ts';

/** Milliseconds after which a silent stream says that it still is there. */
const HEARTBEAT = 15_000;
/** Milliseconds after which a client that lost its stream asks again. */
const RETRY = 2000;

/** What happens, as it happens: Server-Sent Events. */
@Controller('api/v2/events')
export class EventsController {
  readonly #feed: EventFeed;

  constructor(@Inject(FEED) feed: EventFeed) {
    this.#feed = feed;
  }

  @Get()
  async stream(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const query = new Query(request.url, ['kind', 'repository']);
    const kinds = kindsOf(query);
    const repository = query.text('repository');
    const after = positionOf(request.headers['last-event-id']);
    const following: Following = {
      ...(kinds === undefined ? {} : { kinds }),
      ...(repository === undefined ? {} : { repository }),
      ...(after === undefined ? {} : { after }),
    };
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const batches = await this.#feed.follow(following, HEARTBEAT, gone.signal);
    begin(reply);
    if (request.method === 'HEAD') gone.abort();
    await sent(reply.raw, batches, kinds);
    reply.raw.end();
  }
}

function begin(reply: FastifyReply): void {
  reply.hijack();
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) reply.raw.setHeader(name, value);
  reply.raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    // Nothing else is asked for over it: a server that stops does not wait for its being idle.
    connection: 'close',
  });
  reply.raw.write(`retry: ${RETRY}\n\n`);
}

function kindsOf(query: Query): readonly string[] | undefined {
  const given = query.text('kind')?.split(',');
  const unknown = given?.find((kind) => !EVENT_KINDS.some((known) => known === kind));
  if (unknown !== undefined)
    throw wrong([{ path: ['kind'], message: `must be some of ${EVENT_KINDS.join(', ')}, with commas between them` }]);
  return given;
}

function positionOf(given: string | string[] | undefined): FeedPosition | undefined {
  if (given === undefined || given === '') return undefined;
  const found = typeof given === 'string' ? /^(\d{1,15})\.(\d{1,15})$/.exec(given) : null;
  if (!found) {
    const error: FieldError = { path: ['Last-Event-ID'], message: 'must be the id of an event of this stream' };
    throw wrong([error]);
  }
  return { event: Number(found[1]), pull: Number(found[2]) };
}
