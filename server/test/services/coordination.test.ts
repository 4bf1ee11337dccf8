import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { coordinationContract } from '../../src/coordination/coordination.contract.ts';
import type { Coordination } from '../../src/coordination/coordination.ts';
import { openRedis } from '../../src/coordination/redis.ts';
import { RedisServer, redisMissing } from '../support/redis.ts';
import { type SlowProxy, startSlowProxy } from '../support/slow-proxy.ts';

const missing = redisMissing();

describe.skipIf(missing !== undefined && process.env['CI'] !== 'true')(`over Redis ${missing ?? ''}`, () => {
  let redis: RedisServer;
  const joined: Coordination[] = [];
  let installations = 0;
  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  afterEach(async () => {
    for (const one of joined.splice(0)) await one.close();
  });
  afterAll(() => redis?.stop());

  const join = async (installation: string, url = redis.url, said: string[] = []): Promise<Coordination> => {
    const one = await openRedis({ url, installation, told: (state, reason) => said.push(`${state} ${reason ?? ''}`) });
    joined.push(one);
    return one;
  };
  const installation = (): string => `test-${++installations}`;

  coordinationContract(async () => {
    const name = installation();
    return { join: () => join(name), close: async () => {} };
  });

  test('two installations on one server know nothing of each other', async () => {
    const [one, other] = [await join('first'), await join('second')];
    const heard: unknown[] = [];
    other.subscribe('news', (message) => heard.push(message));
    await one.publish('news', 1);
    await one.put('key', 1, 60_000);
    await one.lease('l', 60_000);
    expect(await other.get('key')).toBeUndefined();
    expect((await other.lease('l', 60_000))?.fence).toBeGreaterThan(0);
    expect(heard).toEqual([]);
  });

  test('a lease whose holder was cut off ends by itself, and the holder learns of it', async () => {
    const name = installation();
    const proxy = await startSlowProxy({ port: redis.port });
    const [one, other] = [await join(name, `redis://127.0.0.1:${proxy.port}`), await join(name)];
    const lease = await one.lease('l', 900);
    expect(await other.lease('l', 900)).toBeUndefined();
    await proxy.refuse();
    await other.released('l', AbortSignal.timeout(10_000));
    const next = await other.lease('l', 900);
    expect(next?.fence).toBeGreaterThan(lease?.fence ?? 0);
    await expect.poll(() => lease?.lost.aborted).toBe(true);
    expect(next?.lost.aborted).toBe(false);
    await proxy.stop();
  });

  test('fences go on growing when the server has lost what it knew', async () => {
    const server = await RedisServer.start();
    const name = installation();
    const [one, other] = [await join(name, server.url), await join(name, server.url)];
    const before = await one.lease('l', 5000);
    await server.down();
    await server.restart();
    await expect.poll(() => [one.state, other.state]).toEqual(['ok', 'ok']);
    const after = await other.lease('other', 5000);
    expect(after?.fence).toBeGreaterThan(before?.fence ?? 0);
    await server.stop();
  });

  const faults: [
    string,
    (server: RedisServer, proxy: SlowProxy) => unknown,
    (s: RedisServer, p: SlowProxy) => unknown,
  ][] = [
    ['was stopped', (server) => server.down(), (server) => server.restart()],
    ['is frozen', (server) => server.freeze(), (server) => server.thaw()],
    ['refuses connections', (_, proxy) => proxy.refuse(), (_, proxy) => proxy.heal()],
    ['answers 5 s late', (_, proxy) => proxy.delay(5000), (_, proxy) => proxy.heal()],
  ];

  test.each(faults)('each goes on alone while the server %s, and together when it is back', async (_, begin, end) => {
    const server = await RedisServer.start();
    const proxy = await startSlowProxy({ port: server.port });
    const [name, said, heard, gaps] = [installation(), [] as string[], [] as unknown[], [] as string[]];
    const one = await join(name, `redis://127.0.0.1:${proxy.port}`, said);
    const other = await join(name, `redis://127.0.0.1:${proxy.port}`);
    other.subscribe('news', (message) => heard.push(message));
    other.onGap(() => gaps.push('gap'));
    await begin(server, proxy);
    await one.publish('news', 'unheard');
    await one.put('key', 'mine', 60_000);
    expect(await one.get('key')).toBe('mine');
    const alone = await one.lease('l', 500);
    expect(alone?.fence).toBeGreaterThan(0);
    expect(await one.lease('l', 500)).toBeUndefined();
    expect([one.state, await one.alone()]).toEqual(['alone', expect.any(String)]);
    await alone?.release();
    await end(server, proxy);
    await expect.poll(() => [one.state, other.state]).toEqual(['ok', 'ok']);
    await expect.poll(() => gaps).toContain('gap');
    await one.publish('news', 'together again');
    await expect.poll(() => heard).toContain('together again');
    expect(said.map((line) => line.split(' ')[0])).toEqual(['alone', 'ok']);
    await proxy.stop();
    await server.stop();
  });

  test('a server that is not there at the start is found later', async () => {
    const server = await RedisServer.start();
    await server.down();
    const said: string[] = [];
    const one = await join(installation(), server.url, said);
    expect(one.state).toBe('alone');
    expect(await one.lease('l', 500)).toBeDefined();
    await server.restart();
    await expect.poll(() => one.state).toBe('ok');
    expect(said).toEqual([expect.stringContaining('alone'), 'ok ']);
    await server.stop();
  });

  test('a password is used, and a wrong one is no reason to stop', async () => {
    const server = await RedisServer.start('--requirepass', 'a secret');
    const right = await join(installation(), `redis://:a%20secret@127.0.0.1:${server.port}/3`);
    expect(right.state).toBe('ok');
    const said: string[] = [];
    const wrong = await join(installation(), `redis://:another@127.0.0.1:${server.port}`, said);
    expect(wrong.state).toBe('alone');
    expect(said.join()).toMatch(/WRONGPASS/);
    expect(said.join()).not.toContain('another');
    await server.stop();
  });
});
