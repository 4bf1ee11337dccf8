import { createHash, randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { formats } from '../../src/formats/all.ts';
import type { Sample } from '../data-plane/samples/sample.ts';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { publish } from '../support/npm-package.ts';
import { Replicas, replicasMissing } from '../support/replicas.ts';
import type { ServerProcess } from '../support/server-process.ts';

const missing = replicasMissing();
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const bodyOf = async (response: Response) => Buffer.from(await response.arrayBuffer());

/** Every format that has upstreams. */
const mirrored = formats.filter(({ traits }) => traits.kinds?.includes('remote') ?? true);

describe.skipIf(missing !== undefined && process.env['CI'] !== 'true')(`two replicas ${missing ?? ''}`, () => {
  let replicas: Replicas;
  let upstream: FakeUpstream;
  let [one, other] = [] as unknown as [ServerProcess, ServerProcess];
  let declared = 0;
  beforeAll(async () => {
    replicas = await Replicas.start({ defaults: true });
    [one, other] = replicas.servers as [ServerProcess, ServerProcess];
    upstream = await FakeUpstream.start();
  });
  afterEach(async () => {
    await upstream?.stop();
    upstream = await FakeUpstream.start();
  });
  afterAll(async () => {
    await upstream?.stop();
    await replicas?.stop();
  });

  /** A remote of this test's own, known to both. */
  const remote = async (format: string, spec: object = {}): Promise<string> => {
    const name = `${format}-${++declared}`;
    const own = { name, format, url: upstream.url, allow_private_network: true, ...spec };
    await one.manage('PUT', `/remotes/${name}`, own);
    await expect.poll(() => get(other, `/api/v2/remotes/${name}`).then(({ status }) => status)).toBe(200);
    return name;
  };
  const get = (server: { readonly url: string }, path: string, headers: Record<string, string> = {}) =>
    fetch(`${server.url}${path}`, {
      headers: path.startsWith('/api/') ? { authorization: `Bearer ${one.token}`, ...headers } : headers,
    });
  const npmWith = async (bytes: Buffer, spec?: object): Promise<string> => {
    publish(upstream, 'widget', [{ version: '1.0.0', tarball: bytes }]);
    return remote('npm', spec);
  };
  const TARBALL = '/widget/-/widget-1.0.0.tgz';

  test('that start together on an empty database make each default once, and complain of nothing', async () => {
    const { items } = await other.manage<{ items: { name: string; managed_by: string }[] }>(
      'GET',
      '/virtuals?limit=100',
    );
    const made = items.filter(({ managed_by }) => managed_by === 'defaults').map(({ name }) => name);
    expect(made).toContain('npm');
    expect(new Set(made).size).toBe(made.length);
    for (const server of replicas.servers) {
      const lines = server.said.split('\n').filter((line) => line.startsWith('{'));
      expect(lines.filter((line) => /"level":"?(warn|error|40|50)/.test(line))).toEqual([]);
      expect(server.said).not.toContain('no default repositories');
    }
  });

  test.each(mirrored)('give the same answers of $id, byte by byte', async ({ id, traits: { root } }) => {
    const module = (await import(`../data-plane/samples/${id}.ts`)) as { readonly sample: () => Sample };
    const sample = module.sample();
    for (const [path, reply] of Object.entries(sample.upstream)) upstream.respond(path, reply);
    const name = await remote(id);
    const base = root === undefined ? `/${name}` : `/${root}/${name}`;
    for (const { path, accept, before = [] } of sample.requests) {
      const headers = accept === undefined ? {} : { accept };
      for (const earlier of before) await bodyOf(await get(one, `${base}${earlier}`));
      const answers = [];
      for (const server of [one, other, replicas]) {
        const response = await get(server, `${base}${path}`, headers);
        const bytes = await bodyOf(response);
        answers.push({ status: response.status, tag: response.headers.get('etag'), digest: sha256(bytes) });
      }
      expect(answers[0]?.status).toBe(200);
      expect(answers).toEqual([answers[0], answers[0], answers[0]]);
    }
  });

  test('ask the upstream once, however many ask both of them for something cold', async () => {
    const bytes = randomBytes(500_000);
    const name = await npmWith(bytes);
    const gate = upstream.hold(TARBALL, { afterBytes: 100_000 });
    const asked = Array.from({ length: 50 }, (_, n) => get(n % 2 ? one : other, `/${name}${TARBALL}`));
    await gate.arrived();
    gate.open();
    const digests = await Promise.all(asked.map(async (answer) => sha256(await bodyOf(await answer))));
    expect(new Set(digests)).toEqual(new Set([sha256(bytes)]));
    expect([upstream.count(TARBALL, 'GET'), upstream.count('/widget', 'GET')]).toEqual([1, 1]);
  });

  test('ask once for an index that is not fresh any more', async () => {
    const name = await npmWith(randomBytes(1000), { index_ttl: '1s', stale_if_error: '0' });
    await bodyOf(await get(one, `/${name}/widget`));
    await new Promise((resolve) => setTimeout(resolve, 2100));
    const before = upstream.count('/widget');
    const gate = upstream.hold('/widget');
    const asked = Array.from({ length: 20 }, (_, n) => get(n % 2 ? one : other, `/${name}/widget`));
    await gate.arrived();
    gate.open();
    for (const answer of await Promise.all(asked)) expect(answer.status).toBe(200);
    expect(upstream.count('/widget') - before).toBe(1);
  });

  test('go on when the one that fetches is killed: the other fetches', async () => {
    const bytes = randomBytes(300_000);
    const name = await npmWith(bytes);
    await bodyOf(await get(one, `/${name}/widget`));
    const gate = upstream.hold(TARBALL, { afterBytes: 100_000 });
    const broken = get(one, `/${name}${TARBALL}`).then(bodyOf);
    broken.catch(() => {});
    await gate.arrived();
    const waiting = get(other, `/${name}${TARBALL}`);
    await one.kill('SIGKILL');
    gate.open();
    expect(sha256(await bodyOf(await waiting))).toBe(sha256(bytes));
    await expect(broken).rejects.toThrow();
    await one.restart();
  });

  test('refuse alike: a block declared at one holds at the other', async () => {
    const name = await npmWith(randomBytes(1000));
    for (const server of [one, other]) expect((await get(server, `/${name}${TARBALL}`)).status).toBe(200);
    const block = { name: `block-${name}`, packages: ['pkg:npm/widget@1.0.0'], reason: 'It is bad.' };
    await one.manage('PUT', `/blocks/${block.name}`, block);
    expect((await get(one, `/${name}${TARBALL}`)).status).toBe(403);
    await expect.poll(() => get(other, `/${name}${TARBALL}`).then(({ status }) => status), { timeout: 2000 }).toBe(403);
    await other.manage('DELETE', `/blocks/${block.name}`);
    await expect.poll(() => get(one, `/${name}${TARBALL}`).then(({ status }) => status), { timeout: 2000 }).toBe(200);
  });

  test('forget alike: what is evicted at one is fetched anew at the other', async () => {
    const [first, second] = [randomBytes(2000), randomBytes(2000)];
    const name = await npmWith(first);
    for (const server of [one, other])
      expect(sha256(await bodyOf(await get(server, `/${name}${TARBALL}`)))).toBe(sha256(first));
    publish(upstream, 'widget', [{ version: '1.0.0', tarball: second }]);
    await one.manage('DELETE', `/remotes/${name}/objects?all=true`);
    await expect
      .poll(async () => sha256(await bodyOf(await get(other, `/${name}${TARBALL}`))), { timeout: 2000 })
      .toBe(sha256(second));
  });

  test('have what was published at either of them', async () => {
    const name = `own-${++declared}`;
    await one.manage('PUT', `/hosted/${name}`, { name, format: 'generic' });
    await expect.poll(() => get(other, `/api/v2/hosted/${name}`).then(({ status }) => status)).toBe(200);
    const put = (server: ServerProcess, path: string, body: string) =>
      fetch(`${server.url}/${name}/${path}`, {
        method: 'PUT',
        body,
        headers: { authorization: `Bearer ${one.token}`, 'content-type': 'application/octet-stream' },
      });
    expect((await get(other, `/${name}/tool/1.0/a.txt`)).status).toBe(404);
    expect((await put(one, 'tool/1.0/a.txt', 'first')).status).toBe(201);
    await expect
      .poll(async () => (await get(other, `/${name}/tool/1.0/a.txt`)).text(), { timeout: 2000 })
      .toBe('first');
    const both = await Promise.all([put(one, 'tool/1.0/b.txt', 'one'), put(other, 'tool/1.0/b.txt', 'other')]);
    expect(both.map(({ status }) => status).sort()).toEqual([201, 409]);
  });

  test('tell of what happened at either of them', async () => {
    const name = await npmWith(randomBytes(1000));
    const leaving = new AbortController();
    const stream = await fetch(`${one.url}/api/v2/events?repository=${name}`, {
      headers: { authorization: `Bearer ${one.token}` },
      signal: leaving.signal,
    });
    let heard = '';
    const hearing = (async () => {
      for await (const chunk of stream.body ?? []) heard += Buffer.from(chunk).toString();
    })();
    hearing.catch(() => {});
    await bodyOf(await get(other, `/${name}${TARBALL}`));
    await expect.poll(() => heard).toContain('event: served');
    expect(heard).toContain('event: fetched');
    leaving.abort();
  });

  test('take over the pulls of one that was killed under load, and lose none', async () => {
    const name = await npmWith(randomBytes(1000));
    await bodyOf(await get(one, `/${name}${TARBALL}`));
    const had: string[] = [];
    let isOver = false;
    const client = async (server: ServerProcess, who: string): Promise<void> => {
      for (let n = 0; !isOver; n += 1) {
        const id = `${who}-${n}`;
        const answer = await get(server, `/${name}${TARBALL}`, { 'x-entrepot-consumer': id }).catch(() => undefined);
        if (!answer) break;
        const bytes = await bodyOf(answer).catch(() => undefined);
        if (bytes?.length === 1000) had.push(id);
      }
    };
    const clients = [one, one, one, other].map((server, n) => client(server, `${name}-${n}`));
    await expect.poll(() => had.length).toBeGreaterThan(300);
    await one.kill('SIGKILL');
    const before = had.filter((id) => id.startsWith(`${name}-3`)).length;
    for (let n = 0; n < 50; n += 1) expect((await get(replicas, `/${name}${TARBALL}`)).status).toBe(200);
    await expect.poll(() => had.filter((id) => id.startsWith(`${name}-3`)).length).toBeGreaterThan(before + 50);
    isOver = true;
    await Promise.all(clients);
    const rows = async () => {
      const pulls = (await other.pulls()) as (Awaited<ReturnType<ServerProcess['pulls']>>[number] & {
        consumer?: string;
      })[];
      return pulls.flatMap(({ consumer }) => (consumer?.startsWith(`${name}-`) ? [consumer] : []));
    };
    await expect.poll(async () => missed(had, await rows()), { timeout: 60_000, interval: 1000 }).toEqual([]);
    await one.restart();
    const found = await rows();
    expect(new Set(found).size).toBe(found.length);
  });
  const missed = (had: readonly string[], rows: readonly string[]) => {
    const known = new Set(rows);
    return had.filter((id) => !known.has(id));
  };

  test('go on without Redis, agree within a second or two all the same, and find together again', async () => {
    const name = await npmWith(randomBytes(1000));
    for (const server of [one, other]) await bodyOf(await get(server, `/${name}${TARBALL}`));
    await replicas.redis.down();
    try {
      for (const server of [one, other]) expect((await get(server, `/${name}${TARBALL}`)).status).toBe(200);
      const block = { name: `block-${name}`, packages: ['pkg:npm/widget'], reason: 'It is bad.' };
      await one.manage('PUT', `/blocks/${block.name}`, block);
      await expect.poll(() => get(other, `/${name}${TARBALL}`).then(({ status }) => status)).toBe(403);
      await one.manage('DELETE', `/blocks/${block.name}`);
      await expect.poll(() => get(other, `/${name}${TARBALL}`).then(({ status }) => status)).toBe(200);
      const second = randomBytes(1000);
      publish(upstream, 'widget', [{ version: '1.0.0', tarball: second }]);
      await one.manage('DELETE', `/remotes/${name}/objects?all=true`);
      await expect.poll(async () => sha256(await bodyOf(await get(other, `/${name}${TARBALL}`)))).toBe(sha256(second));
      for (const server of [one, other]) {
        expect((await get(server, '/ready')).status).toBe(200);
        const { checks } = (await (await get(server, '/health', bearer())).json()) as Health;
        expect(checks['coordination']).toMatchObject({ status: 'degraded', message: expect.stringContaining('alone') });
      }
    } finally {
      await replicas.redis.restart();
    }
    for (const server of [one, other]) {
      const status = async () =>
        ((await (await get(server, '/health', bearer())).json()) as Health).checks['coordination'];
      await expect.poll(status).toMatchObject({ status: 'ok' });
      expect(server.said.match(/this process acts alone/g)).toHaveLength(1);
      expect(server.said.match(/acts together with the others again/g)).toHaveLength(1);
    }
  });
  const bearer = () => ({ authorization: `Bearer ${one.token}` });

  test('leave an upstream alone when one of them found it away, and return when it is back', async () => {
    const name = await npmWith(randomBytes(1000));
    await upstream.down();
    for (let n = 0; n < 8; n += 1) await get(one, `/${name}/other-${n}`);
    await expect
      .poll(async () => (await get(other, `/${name}/another`)).text(), { timeout: 3000 })
      .toContain('as another process of this installation found');
    await upstream.up();
    await expect.poll(() => get(one, `/${name}/widget`).then(({ status }) => status), { timeout: 20_000 }).toBe(200);
    await expect.poll(() => get(other, `/${name}${TARBALL}`).then(({ status }) => status), { timeout: 2000 }).toBe(200);
  });

  test('heal by themselves when PostgreSQL was away', async () => {
    const name = await npmWith(randomBytes(1000));
    for (const server of [one, other]) await bodyOf(await get(server, `/${name}${TARBALL}`));
    await replicas.postgres.down();
    for (const server of [one, other]) {
      expect((await get(server, `/${name}${TARBALL}`)).status).toBe(200);
      await expect.poll(() => get(server, '/ready').then(({ status }) => status)).toBe(503);
    }
    await replicas.postgres.up();
    for (const server of [one, other])
      await expect.poll(() => get(server, '/ready').then(({ status }) => status)).toBe(200);
    await one.manage('PUT', `/blocks/block-${name}`, {
      name: `block-${name}`,
      packages: ['pkg:npm/widget'],
      reason: 'x',
    });
    await expect.poll(() => get(other, `/${name}${TARBALL}`).then(({ status }) => status)).toBe(403);
    await one.manage('DELETE', `/blocks/block-${name}`);
  });
});

interface Health {
  readonly checks: Readonly<Record<string, { readonly status: string; readonly message?: string }>>;
}
