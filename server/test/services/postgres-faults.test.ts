import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FeedPage, FeedPosition, Ledger } from '../../src/ledger/ledger.ts';
import { openPostgresLedger, type PostgresOptions } from '../../src/ledger/postgres.ts';
import { objectRow, pullRow } from '../../src/ledger/samples.ts';
import { type PostgresServer, postgresMissing, startPostgres, statement } from '../support/postgres.ts';
import { type SlowProxy, startSlowProxy } from '../support/slow-proxy.ts';

const missing = postgresMissing();

describe.skipIf(missing !== undefined && process.env['CI'] !== 'true')(`PostgreSQL ${missing ?? ''}`, () => {
  let server: PostgresServer;
  let url: string;
  const opened: Ledger[] = [];
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.stop());
  beforeEach(async () => {
    url = await server.database();
  });
  afterEach(async () => {
    for (const ledger of opened.splice(0)) await ledger.close();
  });

  const open = async (at = url, options: PostgresOptions = {}): Promise<Ledger> => {
    const ledger = await openPostgresLedger(at, { connections: 2, ...options });
    opened.push(ledger);
    return ledger;
  };
  const failing = (message: RegExp) => ({ name: 'LedgerError', message: expect.stringMatching(message) });

  describe('behind a network that', () => {
    let proxy: SlowProxy;
    beforeEach(async () => {
      proxy = await startSlowProxy({ port: server.port });
    });
    afterEach(() => proxy.stop());
    const through = (): string => url.replace(`:${server.port}/`, `:${proxy.port}/`);

    test('passes nothing on: every call ends all the same, and works again when it does', async () => {
      const ledger = await open(through(), { patience: () => 300 });
      await ledger.setFact('kept', 'before');
      proxy.hold();
      const calls = Array.from({ length: 12 }, (_, n) =>
        n % 2 ? ledger.fact('kept') : ledger.setFact('kept', 'lost'),
      );
      for (const { status, reason } of (await Promise.allSettled(calls)) as PromiseRejectedResult[]) {
        expect([status, reason]).toEqual([
          'rejected',
          expect.objectContaining(failing(/does not answer.*ETIMEDOUT|ECONNRESET/)),
        ]);
      }
      await proxy.heal();
      await ledger.check();
      expect(await ledger.fact('kept')).toBe('before');
    });

    test('is too slow: the call ends, and nothing of it is half done', async () => {
      const ledger = await open(through(), { patience: () => 300 });
      proxy.delay(400);
      await expect(ledger.recordObject(objectRow())).rejects.toMatchObject(failing(/does not answer/));
      await proxy.heal();
      expect(await ledger.stats()).toMatchObject({ objects: 0, blobs: 0, releases: 0 });
    });

    test('breaks off: what is under way fails at once, and the next call has a connection', async () => {
      const ledger = await open(through(), { patience: () => 60_000 });
      const done = await locked(url, 'UPDATE fact SET value = value');
      const waiting = expect(ledger.setFact('ledger.pulls', '1')).rejects.toMatchObject(failing(/does not answer/));
      await blocked(url);
      await proxy.refuse();
      await waiting;
      await expect(ledger.check()).rejects.toMatchObject(failing(/does not answer.*ECONNREFUSED/));
      await proxy.heal();
      await done();
      await ledger.check();
    });
  });

  test('that waits for a lock too long is told so, and the connection goes on', async () => {
    const ledger = await open(url, { patience: () => 200 });
    const done = await locked(url, 'UPDATE fact SET value = value');
    await expect(ledger.setFact('ledger.pulls', '1')).rejects.toMatchObject(failing(/takes too long to answer.*57014/));
    await done();
    await ledger.setFact('ledger.pulls', '1');
  });

  test('stopped and started again is used again, without a restart of ours', async () => {
    const ledger = await open();
    await ledger.check();
    await server.down();
    for (let time = 0; time < 3; time += 1)
      await expect(ledger.check()).rejects.toMatchObject(failing(/does not answer|shutting down/));
    await server.up();
    await ledger.check();
  });

  test('whose disk is full says so, keeps nothing of the call, and goes on when there is room', async () => {
    const ledger = await open();
    await raising('53100', 'pull', 'true');
    const rows = Array.from({ length: 500 }, (_, n) => pullRow(n));
    const position = { segment: 's', offset: 10 };
    await expect(ledger.loadPulls(rows, position)).rejects.toMatchObject(
      failing(/has no disk left: free space.*53100/),
    );
    expect(await ledger.journalPositions()).toEqual([]);
    await statement(url, 'DROP TRIGGER fault ON pull');
    await ledger.loadPulls(rows, position);
    expect((await ledger.stats()).pulls).toBe(500);
  });

  test.each(['40P01', '40001'])('that ends one of two transactions that collide (%s) is asked again', async (code) => {
    const ledger = await open();
    await statement(url, 'CREATE SEQUENCE tries');
    await raising(code, 'object', `nextval('tries') <= 2`);
    await ledger.recordObject(objectRow());
    expect(await ledger.stats()).toMatchObject({ objects: 1 });
    await statement(url, 'ALTER SEQUENCE tries RESTART');
    await raising(code, 'object', 'true');
    await expect(ledger.recordObject(objectRow({ version: '5' }))).rejects.toMatchObject({ name: 'LedgerError' });
  });

  test('with four writers has a feed of which a follower misses nothing and sees nothing twice', async () => {
    const writers = await Promise.all([open(), open(), open(), open()]);
    const follower = await open();
    const all = 4 * 40;
    let isDone = false;
    const write = async (ledger: Ledger, writer: number): Promise<void> => {
      for (let n = 0; n < 40; n += 1) {
        const id = writer * 1000 + n;
        const event = { kind: 'evicted', at: id, repository: 'npm', details: String(id) };
        // Of very different sizes: what began first is often not what ends first.
        const rows = Array.from({ length: n % 3 === 0 ? 300 : 1 }, (_, row) => pullRow(id * 1000 + row));
        await Promise.all([
          ledger.recordEvents(n % 2 === 0 ? [event, { ...event, details: `${id}+` }] : [event]),
          ledger.loadPulls(rows, { segment: `s${writer}`, offset: n }),
        ]);
      }
    };
    const writing = Promise.all(writers.map(write)).finally(() => {
      isDone = true;
    });
    const seen: FeedPage = { events: [], pulls: [], reached: { event: 0, pull: 0 } };
    const [events, pulls] = [[...seen.events], [...seen.pulls]];
    let after: FeedPosition = { event: 0, pull: 0 };
    for (let last = false; ; ) {
      last = isDone;
      const until = await follower.feedEnd();
      const page = await follower.feed({ after, until, limit: 50_000 });
      events.push(...page.events);
      pulls.push(...page.pulls);
      after = page.reached;
      if (last) break;
    }
    await writing;
    expect(events).toHaveLength(all + all / 2);
    expect(new Set(events.map(({ details }) => details)).size).toBe(events.length);
    expect(new Set(pulls.map(({ id }) => id)).size).toBe(pulls.length);
    expect(pulls).toHaveLength((await follower.stats()).pulls);
    for (const list of [events, pulls]) {
      const positions = list.map(({ position }) => position);
      expect(positions).toEqual(positions.toSorted((a, b) => a - b));
    }
  });

  test('with two that change a resource at once lets one of them, and its revisions only grow', async () => {
    const writers = await Promise.all([open(), open()]);
    const put = (spec: number, expected?: number) =>
      ({
        op: 'put',
        kind: 'remote',
        name: 'one',
        managedBy: 'api',
        spec: { spec },
        ...(expected ? { expect: expected } : {}),
      }) as const;
    const [first] = await (writers[0] as Ledger).change([put(0)], 1);
    let current = first?.revision ?? 0;
    const revisions = [current];
    for (let round = 0; round < 25; round += 1) {
      const answers = await Promise.allSettled(
        writers.map((ledger, n) => ledger.change([put(round * 2 + n, current)], round)),
      );
      const done = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
      const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
      expect([done.length, refused]).toEqual([
        1,
        [expect.objectContaining({ name: 'RevisionConflict', actual: done[0]?.revision })],
      ]);
      current = done[0]?.revision ?? 0;
      revisions.push(current);
    }
    expect(revisions).toEqual([...new Set(revisions)].toSorted((a, b) => a - b));
    expect((await (writers[1] as Ledger).resources())[0]?.revision).toBe(current);
  });

  /** From now on a row put into the table ends in that error while the condition holds. */
  async function raising(code: string, table: string, condition: string): Promise<void> {
    await statement(
      url,
      `CREATE OR REPLACE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF ${condition} THEN RAISE EXCEPTION 'fault' USING ERRCODE = '${code}'; END IF; RETURN NEW; END $$`,
    );
    await statement(
      url,
      `CREATE OR REPLACE TRIGGER fault BEFORE INSERT ON "${table}" FOR EACH ROW EXECUTE FUNCTION fault()`,
    );
  }
});

/** Holds what the statement locks until the answer is called. */
async function locked(url: string, text: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('BEGIN');
  await client.query(text);
  return async () => {
    await client.query('ROLLBACK');
    await client.end();
  };
}

/** Resolves when something waits for a lock. */
async function blocked(url: string): Promise<void> {
  const waiting = `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'entrepot'`;
  while ((await statement(url, waiting)).length === 0) await sleep(20);
}
