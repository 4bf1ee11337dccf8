import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { publish } from '../support/npm-package.ts';
import { Plane } from '../support/plane.ts';

const FILE = '/tools/tool-1.0.0.tar.gz';
const TARBALL = '/express/-/express-1.0.0.tgz';
const first = randomBytes(200_000);
const second = randomBytes(200_000);
const sha256 = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const HOUR = 3_600_000;

let upstream: FakeUpstream;
let plane: Plane;

beforeEach(async () => {
  upstream = await FakeUpstream.start();
  plane = await Plane.start();
});

afterEach(async () => {
  await plane.stop();
  await upstream.stop();
});

const has = (bytes: Buffer) => upstream.respond(FILE, { body: bytes, headers: { 'content-type': 'application/gzip' } });
const remote = (spec: object = {}) => plane.remote('files', 'generic', upstream.url, { artifact_ttl: '1h', ...spec });
const get = async (path = `/files${FILE}`) => {
  const response = await plane.get(path);
  return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()) };
};
/** Digests of everything that is kept of the file. */
const kept = async (repository = 'files', prefix = FILE.slice(1)) =>
  (await plane.ledger.objects({ repository, prefix }, { limit: 10 })).map(({ digest }) => digest);
const row = () => plane.ledger.object('files', FILE.slice(1));
/** Has it from the upstream, and waits until it is on record. */
const fetched = async () => {
  await get();
  await expect.poll(row).toBeDefined();
};
const complaints = () => plane.logged.filter(({ message }) => message.includes('changed a file that never changes'));

describe('a file that never changes, and did', () => {
  test('is refused, the other bytes being kept beside the first', async () => {
    has(first);
    remote();
    await fetched();
    has(second);
    plane.ahead += 3 * HOUR;
    const refused = await get();
    expect(refused.status).toBe(502);
    expect(refused.bytes.toString()).toContain(`it was ${sha256(first)}, it is now ${sha256(second)}`);
    expect(await kept()).toEqual([sha256(first), sha256(second)]);
    expect((await get()).status).toBe(502);
    expect(complaints()).toHaveLength(1);
    expect(upstream.count(FILE)).toBe(2);
  });

  test('is served as it was first where on_mutation says so', async () => {
    has(first);
    remote({ on_mutation: 'serve_first' });
    await fetched();
    has(second);
    plane.ahead += 3 * HOUR;
    expect((await get()).bytes).toEqual(first);
    expect((await get()).bytes).toEqual(first);
    expect(await kept()).toEqual([sha256(first), sha256(second)]);
    expect(complaints()).toHaveLength(1);
  });

  test('is served again once it was evicted', async () => {
    has(first);
    remote();
    await fetched();
    has(second);
    plane.ahead += 3 * HOUR;
    expect((await get()).status).toBe(502);
    await plane.ledger.evict({ repository: 'files', path: FILE.slice(1) });
    plane.engine.evicted('files', [FILE.slice(1)]);
    expect((await get()).bytes).toEqual(second);
  });

  test('is not asked about again where artifact_ttl is 0', async () => {
    has(first);
    remote({ artifact_ttl: '0' });
    await fetched();
    has(second);
    plane.ahead += 1000 * HOUR;
    expect((await get()).bytes).toEqual(first);
    expect(upstream.count(FILE)).toBe(1);
  });

  test('is replaced where its name says that it may', async () => {
    has(first);
    remote({ mutable_patterns: ['^tools/'] });
    await fetched();
    has(second);
    plane.ahead += 3 * HOUR;
    expect((await get()).bytes).toEqual(second);
    expect(await kept()).toEqual([sha256(second)]);
    expect(complaints()).toEqual([]);
  });

  test('is kept beside the first when the index announces it', async () => {
    plane.remote('npm', 'npm', upstream.url);
    publish(upstream, 'express', [{ version: '1.0.0', tarball: first }]);
    await get(`/npm${TARBALL}`);
    await expect.poll(() => plane.ledger.object('npm', TARBALL.slice(1))).toBeDefined();
    publish(upstream, 'express', [{ version: '1.0.0', tarball: second }]);
    plane.ahead += 3 * HOUR;
    await get('/npm/express');
    expect((await get(`/npm${TARBALL}`)).status).toBe(502);
    await expect.poll(() => kept('npm', TARBALL.slice(1))).toEqual([sha256(first), sha256(second)]);
  });

  test('cannot be asked for under the name it is kept by', async () => {
    has(first);
    remote();
    await fetched();
    has(second);
    plane.ahead += 3 * HOUR;
    await get();
    expect((await get(`/files${FILE}%1f${sha256(second)}`)).status).toBe(400);
  });
});

describe('what the upstream takes back', () => {
  test('is not served any more, and kept as evidence', async () => {
    has(first);
    remote();
    await fetched();
    upstream.respond(FILE, { status: 404, body: 'gone' });
    plane.ahead += 3 * HOUR;
    expect((await get()).status).toBe(404);
    expect(await row()).toMatchObject({ digest: sha256(first), retractedAt: expect.any(Number) });
    expect(await plane.store.stat(sha256(first))).toEqual({ size: first.length });
  });

  test('is served again when it is back as it was', async () => {
    has(first);
    remote();
    await fetched();
    upstream.respond(FILE, { status: 410, body: 'gone' });
    plane.ahead += 3 * HOUR;
    expect((await get()).status).toBe(410);
    has(first);
    plane.ahead += HOUR;
    expect((await get()).bytes).toEqual(first);
    expect((await row())?.retractedAt).toBeUndefined();
  });

  test('and brings back with other bytes was changed', async () => {
    has(first);
    remote();
    await fetched();
    upstream.respond(FILE, { status: 404, body: 'gone' });
    plane.ahead += 3 * HOUR;
    await get();
    has(second);
    plane.ahead += HOUR;
    expect((await get()).status).toBe(502);
    expect(await kept()).toEqual([sha256(first), sha256(second)]);
  });

  test('stays served while it cannot be reached', async () => {
    has(first);
    remote();
    await fetched();
    await upstream.down();
    plane.ahead += 3 * HOUR;
    expect((await get()).bytes).toEqual(first);
    expect((await row())?.retractedAt).toBeUndefined();
  });

  test('is gone from its index within the TTL, the index being kept', async () => {
    plane.remote('npm', 'npm', upstream.url);
    publish(upstream, 'express', [{ version: '1.0.0', tarball: first }]);
    expect((await get('/npm/express')).status).toBe(200);
    upstream.respond('/express', { status: 404, body: '{}' });
    plane.ahead += HOUR;
    expect((await get('/npm/express')).status).toBe(404);
    expect((await plane.ledger.object('npm', 'express'))?.retractedAt).toBeGreaterThan(0);
  });
});
