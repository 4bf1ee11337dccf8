import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeUpstream } from '../../support/fake-upstream.ts';
import { TestServer } from '../../support/test-server.ts';
import type { SampleRelease, Upload } from '../samples/releases.ts';
import { mirrored, victims } from './victims.ts';

const DAY = 86_400_000;

const hosting = mirrored.filter(({ format }) => format.hosting);

test.each(hosting)('$id has a package that is published', ({ sample }) => {
  expect(sample?.publish?.(1).file.bytes.length).toBeGreaterThan(0);
});

const publishable = victims.flatMap((victim) => {
  const publish = victim.sample.publish;
  return publish ? [{ ...victim, publish }] : [];
});

describe.each(publishable)('$id: what is published here', ({ format, sample, publish }) => {
  let server: TestServer;
  let upstream: FakeUpstream;

  beforeEach(async () => {
    upstream = await FakeUpstream.start();
    server = await TestServer.start();
    await server.put('/api/v2/hosted/own', { format: format.id });
    await server.remote('public', format.id, upstream.url, sample.spec);
    for (const merge of ['first', 'union'])
      await server.put(`/api/v2/virtuals/${merge}`, { format: format.id, members: ['own', 'public'], merge });
  });
  afterEach(async () => {
    await server.stop();
    await upstream.stop();
  });

  const offer = (...releases: readonly SampleRelease[]) => {
    for (const [path, reply] of Object.entries(sample.upstream(releases))) upstream.respond(path, reply);
  };

  async function send({ method, path, headers, body }: Upload): Promise<number> {
    const authorization = `Bearer ${server.token}`;
    const sent = { method, headers: { authorization, ...headers }, body: body as never };
    return (await fetch(`${server.url}/own${path}`, sent)).status;
  }

  async function get(repository: string, path: string) {
    const answer = await fetch(`${server.url}/${repository}${path}`);
    return { status: answer.status, body: Buffer.from(await answer.arrayBuffer()) };
  }

  async function listings(repository: string): Promise<string> {
    const all = sample.indexes(sample.release(1)).map(async ({ path, accept }) => {
      const headers = accept === undefined ? {} : { accept };
      const answer = await fetch(`${server.url}/${repository}${path}`, { headers });
      return answer.status === 200 ? await answer.text() : '';
    });
    return (await Promise.all(all)).join('\n');
  }

  async function rule(kind: string, spec: Readonly<Record<string, unknown>>): Promise<void> {
    const { status, body } = await server.put(`/api/v2/${kind}/sudden`, spec);
    expect([status, body.errors]).toEqual([201, undefined]);
  }

  if (format.roster('a').length > 0)
    test('is not followed by a public version 999 of its name, seen before or after', async () => {
      const evil = sample.release(999, { at: Date.now() - 100 * DAY });
      offer(evil);
      expect(await listings('first')).toContain(evil.mark);
      expect((await get('first', evil.file.path)).status).toBe(200);
      const ours = publish(1);
      expect(await send(ours)).toBeLessThan(300);
      for (let again = 0; again < 4; again++) {
        expect(await listings('first')).not.toContain(evil.mark);
        const { status, body } = await get('first', evil.file.path);
        expect([status >= 400, body.includes(evil.file.bytes.subarray(0, 16))]).toEqual([true, false]);
        for (const { path } of evil.beside) expect((await get('first', path)).status).toBeGreaterThanOrEqual(400);
        expect((await get('first', ours.file.path)).body.equals(ours.file.bytes)).toBe(true);
      }
    });

  test('is what its version means, whatever others have under it', async () => {
    const ours = publish(1);
    const theirs = sample.release(1, { at: Date.now() - 100 * DAY });
    offer(theirs);
    upstream.respond(ours.file.path, { body: theirs.file.bytes });
    for (const virtual of ['first', 'union']) await get(virtual, ours.file.path);
    expect(await send(ours)).toBeLessThan(300);
    for (const virtual of ['first', 'union'])
      for (let again = 0; again < 4; again++)
        expect((await get(virtual, ours.file.path)).body.equals(ours.file.bytes)).toBe(true);
  });

  test('is published once: other bytes are refused, and what is there stays', async () => {
    const ours = publish(1);
    expect(await send(ours)).toBeLessThan(300);
    expect(await send(publish(1))).toBe(409);
    expect(await send(ours)).toBeLessThan(300);
    for (const repository of ['own', 'first', 'union'])
      expect((await get(repository, ours.file.path)).body.equals(ours.file.bytes)).toBe(true);
  });

  test('is held by no cooldown and no freeze', async () => {
    await rule('cooldowns', { default: '1000d', packages: { [sample.purl]: '1000d' } });
    await rule('freezes', { before: '2020-01-01T00:00:00Z' });
    const ours = publish(1);
    expect(await send(ours)).toBeLessThan(300);
    for (const repository of ['own', 'first', 'union'])
      expect((await get(repository, ours.file.path)).status).toBe(200);
  });

  // A file belongs to a package by what is published with it: of a plain tree nothing is known but paths.
  if (format.hosting?.compose)
    test('is refused by a block, by every address, and nothing public takes its place', async () => {
      const ours = publish(1);
      const theirs = sample.release(1, { at: Date.now() - 100 * DAY });
      offer(theirs);
      expect(await send(ours)).toBeLessThan(300);
      expect(await send(publish(0))).toBeLessThan(300);
      for (let warm = 0; warm < 4; warm++) await get('first', ours.file.path);
      await rule('blocks', { packages: [`${sample.purl}@${ours.version}`] });
      for (const repository of ['own', 'first', 'union', 'api/v1/virtual/first']) {
        for (const path of [ours.file.path, theirs.file.path]) {
          const { status, body } = await get(repository, path);
          expect([repository, path, status >= 400]).toEqual([repository, path, true]);
          for (const { bytes } of [ours.file, theirs.file]) expect(body.includes(bytes.subarray(0, 16))).toBe(false);
        }
        expect((await get(repository, ours.file.path)).status).toBe(403);
        expect(await listings(repository)).not.toContain(ours.version);
      }
    });
});
