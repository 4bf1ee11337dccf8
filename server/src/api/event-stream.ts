import type { ServerResponse } from 'node:http';
import type { Happening } from '../app/event-feed.ts';
import type { EventKind } from '../engine/events.ts';
import type { PullRow } from '../ledger/ledger.ts';
import { shown } from './pull-rows.ts';

/** Milliseconds in which a reader must take what was written to him. */
const SLOWEST = 30_000;

/**
 * Writes what happens, for as long as there is a reader. Never more is read than was taken, and who takes nothing is cut off.
 */
export async function sent(
  response: ServerResponse,
  batches: AsyncIterable<readonly Happening[]>,
  kinds: readonly string[] | undefined,
): Promise<void> {
  for await (const batch of batches) {
    const text = batch.length === 0 ? ': still here\n\n' : batch.map((one) => written(one, kinds)).join('');
    if (!response.write(text)) await drained(response);
    if (response.destroyed) return;
  }
}

/** Resolves also when the reader is cut off. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => response.destroy(), SLOWEST);
    const done = (): void => {
      clearTimeout(cut);
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.once('drain', done).once('close', done);
  });
}

/** A pull may be two: that it was served, and what a rule would have said. Only the last has the place from which to go on. */
function written(happening: Happening, kinds: readonly string[] | undefined): string {
  const { event, pull } = happening.position;
  const told = 'event' in happening ? [eventOf(happening)] : pullsOf(happening.pull, kinds);
  return told
    .map(({ kind, ...data }, at) => {
      const id = at === told.length - 1 ? `id: ${event}.${pull}\n` : '';
      return `${id}event: ${kind}\ndata: ${JSON.stringify({ kind, ...data })}\n\n`;
    })
    .join('');
}

type Told = { readonly kind: string } & Readonly<Record<string, unknown>>;

function eventOf({ event: { kind, at, repository, details } }: Extract<Happening, { event: unknown }>): Told {
  return {
    kind,
    at: new Date(at).toISOString(),
    ...(repository === '' ? {} : { repository }),
    details: JSON.parse(details),
  };
}

function pullsOf(pull: PullRow, kinds: readonly string[] | undefined): readonly Told[] {
  const all: EventKind[] = [
    ...(pull.observed === undefined ? [] : (['observed'] as const)),
    pull.decision === 'refused' ? 'refused' : 'served',
  ];
  return all.filter((kind) => kinds?.includes(kind) ?? true).map((kind) => ({ kind, ...shown(pull) }));
}
