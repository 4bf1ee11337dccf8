import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Session } from '../session.ts';

/** What a killed process left may be taken over by another one so long after, in milliseconds. */
const ADOPTED_WITHIN = 30_000;

interface Counted {
  readonly rows: number;
  readonly pulls: number;
  readonly lost: readonly string[];
  readonly twice: readonly string[];
}

/** Every file that a client got in full is one row, by the id of its request; none is two. */
export async function auditPulls(session: Session): Promise<{ readonly pulls: number; readonly rows: number }> {
  let counted = await count(session);
  const patience = session.weather.wasBad ? ADOPTED_WITHIN : 0;
  for (const end = Date.now() + patience; counted.lost.length > 0 && Date.now() < end; await sleep(1000))
    counted = await count(session);
  const { findings } = session;
  for (const id of counted.lost) findings.add('a pull is not on record', id);
  for (const id of counted.twice) findings.add('a pull is on record twice', id);
  return { pulls: counted.pulls, rows: counted.rows };
}

async function count(session: Session): Promise<Counted> {
  const times = new Map<string, number>();
  let rows = 0;
  for await (const id of requestsOnRecord(session)) {
    rows += 1;
    times.set(id, (times.get(id) ?? 0) + 1);
  }
  const lost: string[] = [];
  let pulls = 0;
  for await (const one of session.records.all()) {
    if (!one.pulled) continue;
    pulls += 1;
    if (one.id === undefined || !times.has(one.id))
      lost.push(`${one.id} ${one.path} by server ${one.server} at ${new Date(one.ended).toISOString()}`);
  }
  return { rows, pulls, lost, twice: [...times].filter(([, many]) => many > 1).map(([id]) => id) };
}

/** Throws when the audit log cannot be read to its end. */
async function* requestsOnRecord({ addresses, installation }: Session): AsyncIterable<string> {
  const response = await fetch(`${addresses[0]}/api/v2/pulls`, {
    headers: { authorization: `Bearer ${installation.token}`, accept: 'application/x-ndjson' },
  });
  if (!response.ok || !response.body) throw new Error(`the audit log: ${response.status} ${await response.text()}`);
  for await (const line of createInterface({ input: Readable.fromWeb(response.body) })) {
    if (line !== '') yield (JSON.parse(line) as { readonly request_id: string }).request_id;
  }
}
