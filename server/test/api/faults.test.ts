import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { ServerLog } from '../../src/app/log.ts';
import { type Ledger, LedgerError } from '../../src/ledger/ledger.ts';
import { type Store, StoreError } from '../../src/store/store.ts';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { TestServer } from '../support/test-server.ts';

const started: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of started.splice(0).reverse()) await each.stop();
});

/** A part of the server that throws what is set, whichever method is called. */
function breakable<Part extends object>(): { between: (real: Part) => Part; error: Error | undefined } {
  const breaking = {
    error: undefined as Error | undefined,
    between: (real: Part): Part =>
      new Proxy(real, {
        get: (target, name) => {
          const value: unknown = Reflect.get(target, name);
          if (typeof value !== 'function') return value;
          return (...args: unknown[]) =>
            breaking.error && name !== 'close' ? Promise.reject(breaking.error) : value.apply(target, args);
        },
      }),
  };
  return breaking;
}

function recorded(): { log: ServerLog; lines: string[] } {
  const lines: string[] = [];
  const say = (message: string, fields: object = {}) =>
    void lines.push(
      `${message} ${JSON.stringify(fields, (_, value) => (value instanceof Error ? value.message : value))}`,
    );
  const spoken = { debug: say, info: say, warn: say, error: say, announce: say };
  return { log: { ...spoken, lines: (text) => void lines.push(text), dropped: 0, close: async () => {} }, lines };
}

async function start(options: Parameters<typeof TestServer.start>[0]): Promise<TestServer> {
  const server = await TestServer.start(options);
  started.push(server);
  return server;
}

test('a ledger that fails: nothing is changed, the answer names the cause, health shows it, and it recovers', async () => {
  const ledger = breakable<Ledger>();
  const { log, lines } = recorded();
  let now = 1_800_000_000_000;
  const server = await start({ ledger: ledger.between, log, now: () => now });
  ledger.error = new LedgerError('the database file is full: free space');
  const spec = { name: 'a', format: 'npm', url: 'https://upstream.test' };
  const refused = await server.put('/api/v2/remotes/a', spec);
  expect(refused.status).toBe(503);
  expect(refused.body).toMatchObject({
    code: 'unavailable',
    detail: 'nothing was changed: the database file is full: free space',
  });
  expect(refused.headers['retry-after']).toBe('5');
  expect((await server.get('/api/v2/remotes/a')).status).toBe(404);
  for (const path of ['/api/v2/pulls', '/api/v2/stats'])
    expect((await server.get(path)).body.detail).toContain('free space');

  now += 2000;
  const health = await server.get('/health');
  expect(health.status).toBe(503);
  expect(health.body).toMatchObject({
    status: 'failing',
    checks: {
      database: { status: 'failing', message: expect.stringContaining('free space') },
      store: { status: 'ok' },
    },
  });
  expect((await server.get('/health', { token: null })).text).not.toContain('free space');
  expect((await server.get('/ready', { token: null })).body).toEqual({ ready: false, reason: 'database fails' });

  ledger.error = undefined;
  now += 2000;
  expect((await server.put('/api/v2/remotes/a', spec)).status).toBe(201);
  expect((await server.get('/ready')).status).toBe(200);
  expect(lines.some((line) => line.includes('free space'))).toBe(true);
});

test('a store that fails is named when it should let something go', async () => {
  const upstream = await FakeUpstream.start();
  started.push(upstream);
  const store = breakable<Store>();
  let ahead = 0;
  const server = await start({ store: store.between, now: () => Date.now() + ahead });
  upstream.respond('/a-1.0.tar.gz', { body: 'a' });
  await server.remote('files', 'generic', upstream.url);
  await server.raw('/files/a-1.0.tar.gz');
  // Where processes share a store, what was stored a moment ago is nobody's to delete.
  ahead = 10 * 60_000;
  store.error = new StoreError('read_only', 'cannot write /blobs (EROFS): make it writable');
  const refused = await server.delete('/api/v2/remotes/files/objects?all=true');
  expect(refused.status).toBe(503);
  expect(refused.body.detail).toContain('make it writable');
});

test('what nobody foresaw is logged once, with its request id, and kept inside', async () => {
  const ledger = breakable<Ledger>();
  const { log, lines } = recorded();
  const server = await start({ ledger: ledger.between, log });
  ledger.error = new TypeError('secret internals');
  const answer = await server.get('/api/v2/stats?');
  ledger.error = undefined;
  expect(answer.status).toBe(500);
  expect(answer.body.code).toBe('internal');
  expect(answer.text).not.toContain('secret internals');
  const ofIt = lines.filter((line) => line.includes(answer.body.request_id));
  expect(ofIt.filter((line) => line.includes('secret internals'))).toHaveLength(1);
});

test('an upstream that is down is no reason to be taken out of service', async () => {
  const upstream = await FakeUpstream.start();
  started.push(upstream);
  const server = await start({});
  await server.remote('files', 'generic', upstream.url);
  await upstream.down();
  expect((await server.raw('/files/a-1.0.tar.gz')).status).toBe(502);
  const health = await server.get('/health');
  expect(health.status).toBe(200);
  expect(health.body.checks['upstream:files']).toMatchObject({
    status: 'failing',
    message: expect.stringContaining('127.0.0.1'),
  });
  expect((await server.get('/ready')).status).toBe(200);
});

test('what was declared is there after a restart, and a folder has one server', async () => {
  const data = await mkdtemp(join(tmpdir(), 'entrepot-restart-'));
  const first = await TestServer.start({ data });
  await first.remote('kept', 'npm', 'https://upstream.test');
  await first.virtual('front', 'npm', ['kept']);
  await expect(TestServer.start({ data })).rejects.toThrow(
    `${data} is in use by the Entrepot with process id ${process.pid}`,
  );
  const { body } = await first.get('/api/v2/config');
  await first.stop();
  const second = await start({ data });
  expect(second.token).toBe(first.token);
  const after = await second.get('/api/v2/config');
  expect(after.body.revision).toBe(body.revision);
  const specs = (resources: { spec: object }[]) => resources.map(({ spec }) => spec);
  expect(specs(after.body.resources)).toEqual(specs(body.resources));
});
