import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { publish } from '../support/npm-package.ts';
import { TestServer } from '../support/test-server.ts';

const DAY = 86_400_000;

interface Told {
  readonly id?: string;
  readonly kind: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A reader of the stream. */
class Watcher {
  readonly told: Told[] = [];
  readonly #gone = new AbortController();
  readonly #ended: Promise<void>;

  static async of(query = '', headers: Readonly<Record<string, string>> = {}): Promise<Watcher> {
    const gone = new AbortController();
    const response = await fetch(`${server.url}/api/v2/events?${query}`, {
      headers: { authorization: `Bearer ${server.token}`, ...headers },
      signal: gone.signal,
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const watcher = new Watcher(response, gone);
    watchers.push(watcher);
    return watcher;
  }

  private constructor(response: Response, gone: AbortController) {
    this.#gone = gone;
    this.#ended = this.#read(response).catch(() => {});
  }

  get last(): string {
    return this.told.findLast(({ id }) => id !== undefined)?.id ?? '';
  }

  async until(found: (told: readonly Told[]) => boolean): Promise<readonly Told[]> {
    await expect.poll(() => found(this.told), { timeout: 10_000 }).toBe(true);
    return this.told;
  }

  has(kind: string, count = 1): Promise<readonly Told[]> {
    return this.until((told) => told.filter((one) => one.kind === kind).length >= count);
  }

  async stop(): Promise<void> {
    this.#gone.abort();
    await this.#ended;
  }

  ended(): Promise<void> {
    return this.#ended;
  }

  async #read(response: Response): Promise<void> {
    let text = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const fields = new Map(
          block.split('\n').map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]),
        );
        const [id, kind, data] = ['id', 'event', 'data'].map((name) => fields.get(name));
        if (kind !== undefined && data !== undefined)
          this.told.push({ kind, data: JSON.parse(data), ...(id === undefined ? {} : { id }) });
      }
    }
  }
}

const watchers: Watcher[] = [];
let data: string;
let upstream: FakeUpstream;
let server: TestServer;

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'entrepot-events-'));
  upstream = await FakeUpstream.start();
  const at = (days: number) => new Date(Date.now() - days * DAY).toISOString();
  for (const name of ['one', 'two', 'three'])
    publish(upstream, name, [
      { version: '1.0.0', tarball: randomBytes(100), at: at(100) },
      { version: '1.1.0', tarball: randomBytes(100), at: at(2) },
    ]);
  server = await TestServer.start({ data });
  await server.remote('npm', 'npm', upstream.url);
  await server.remote('other', 'npm', upstream.url);
  await server.put('/api/v2/hosted/files', { name: 'files', format: 'generic' });
});

afterEach(async () => {
  for (const watcher of watchers.splice(0)) await watcher.stop();
});

afterAll(async () => {
  await server.stop();
  await upstream.stop();
  await rm(data, { recursive: true, force: true });
});

test('whoever watches hears what is fetched, served, refused, changed, published and evicted', async () => {
  const watcher = await Watcher.of();
  await server.raw('/npm/one/-/one-1.1.0.tgz');
  await watcher.has('served');
  await server.put('/api/v2/cooldowns/week', { name: 'week', default: '7d' });
  expect((await server.raw('/npm/two/-/two-1.1.0.tgz')).status).toBe(403);
  const put = await fetch(`${server.url}/files/a/b.txt`, {
    method: 'PUT',
    body: 'x',
    headers: { authorization: `Bearer ${server.token}` },
  });
  expect(put.status).toBe(201);
  await server.delete('/api/v2/remotes/npm/objects?purl=pkg:npm/one@1.1.0');
  await watcher.has('evicted');
  expect((await server.delete('/api/v2/cooldowns/week')).status).toBe(204);
  const told = await watcher.has('refused');
  const of = (kind: string) => told.filter((one) => one.kind === kind).at(-1)?.data;
  const fetched = told.filter(({ kind }) => kind === 'fetched').map(({ data: { details } }) => details);
  expect(fetched).toContainEqual(expect.objectContaining({ kind: 'artifact', purl: 'pkg:npm/one@1.1.0' }));
  expect(fetched).toContainEqual(expect.objectContaining({ kind: 'index', path: 'one' }));
  expect(of('served')).toMatchObject({ repository: 'npm', purl: 'pkg:npm/one@1.1.0', cache: 'miss' });
  expect(of('changed')).toMatchObject({ details: { op: 'put', kind: 'cooldown', name: 'week' } });
  expect(of('refused')).toMatchObject({ repository: 'npm', purl: 'pkg:npm/two@1.1.0', rule: 'cooldown/week' });
  expect(of('published')).toMatchObject({ repository: 'files', details: { files: ['a/b.txt'] } });
  expect(of('evicted')).toMatchObject({ repository: 'npm', details: { objects: 1 } });
});

test('an upstream that goes and comes back is told of once each', async () => {
  const watcher = await Watcher.of('kind=upstream_down,upstream_up');
  await upstream.down();
  await server.raw('/npm/nobody');
  await server.raw('/npm/nobody-else');
  await upstream.up();
  upstream.respond('/somebody', { status: 404, body: '{}' });
  await expect
    .poll(async () => (await server.raw('/npm/somebody')).status, { timeout: 30_000, interval: 500 })
    .toBe(404);
  const told = await watcher.has('upstream_up');
  expect(told.map(({ kind, data: { repository } }) => [kind, repository])).toEqual([
    ['upstream_down', 'npm'],
    ['upstream_up', 'npm'],
  ]);
});

test('filters leave out other kinds and other repositories', async () => {
  const watcher = await Watcher.of('kind=served&repository=other');
  await server.raw('/npm/one/-/one-1.0.0.tgz');
  await server.raw('/other/one/-/one-1.0.0.tgz');
  const told = await watcher.has('served');
  expect(told.map(({ data: { repository } }) => repository)).toEqual(['other']);
});

test('a client that lost the stream goes on where it was, also with the next server', async () => {
  const first = await Watcher.of();
  await server.raw('/npm/one/-/one-1.0.0.tgz');
  await first.has('served');
  const last = first.last;
  await first.stop();
  await server.raw('/npm/two/-/two-1.0.0.tgz');
  await server.put('/api/v2/blocks/three', { name: 'three', packages: ['pkg:npm/three'] });
  await server.raw('/npm/three/-/three-1.0.0.tgz');
  await server.stop();
  server = await TestServer.start({ data });
  const second = await Watcher.of('', { 'last-event-id': last });
  await second.until((told) => ['served', 'changed', 'refused'].every((kind) => told.some((one) => one.kind === kind)));
  const subjects = second.told.map(({ kind, data: { purl } }) => `${kind} ${purl}`);
  expect(subjects).toContain('served pkg:npm/two@1.0.0');
  expect(subjects).not.toContain('served pkg:npm/one@1.0.0');
  expect(subjects.filter((one) => one.startsWith('served')).length).toBe(1);
  const third = await Watcher.of('kind=refused', { 'last-event-id': last });
  expect((await third.has('refused'))[0]?.data).toMatchObject({ purl: 'pkg:npm/three@1.0.0', rule: 'block/three' });
});

test('what a rule that only observes would have said comes beside what was served', async () => {
  await server.put('/api/v2/cooldowns/trial', { name: 'trial', default: '7d', mode: 'observe' });
  const watcher = await Watcher.of('kind=served,observed');
  expect((await server.raw('/npm/two/-/two-1.1.0.tgz')).status).toBe(200);
  const told = await watcher.has('served');
  expect(told.map(({ kind, id }) => [kind, id !== undefined])).toEqual([
    ['observed', false],
    ['served', true],
  ]);
  expect(told[0]?.data).toMatchObject({ observed: 'cooldown/trial' });
});

test('a reader who goes away makes room for another', async () => {
  const headers = { authorization: `Bearer ${server.token}` };
  const open: Response[] = [];
  const ask = async () => {
    const answer = await fetch(`${server.url}/api/v2/events`, { headers });
    open.push(answer);
    return answer.status;
  };
  await expect.poll(ask, { timeout: 10_000, interval: 1 }).toBe(429);
  for (const answer of open) await answer.body?.cancel();
  await expect.poll(ask, { timeout: 10_000 }).toBe(200);
  await open.at(-1)?.body?.cancel();
});

test('a server that stops ends the streams instead of waiting for them', async () => {
  const watcher = await Watcher.of();
  await server.stop(60_000);
  await watcher.ended();
  server = await TestServer.start({ data });
});

test.each([
  ['kind=nonsense', {}, 400],
  ['kidn=served', {}, 400],
  ['', { 'last-event-id': 'nonsense' }, 400],
])('%s %j is refused', async (query, headers, status) => {
  expect((await server.get(`/api/v2/events?${query}`, { headers })).status).toBe(status);
});

test('without the admin token there are no events, and HEAD ends at once', async () => {
  expect((await server.get('/api/v2/events', { token: null })).status).toBe(401);
  const status = await new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${server.token}` };
    httpRequest(`${server.url}/api/v2/events`, { method: 'HEAD', headers }, (response) => resolve(response.statusCode))
      .once('error', reject)
      .end();
  });
  expect(status).toBe(200);
});
