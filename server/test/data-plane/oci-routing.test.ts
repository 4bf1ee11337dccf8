import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { imageOf, topOf } from '../support/oci-image.ts';
import { Plane } from '../support/plane.ts';

const one = topOf(imageOf('one'));
const two = topOf(imageOf('two'));

let first: FakeUpstream;
let second: FakeUpstream;
let plane: Plane;

beforeEach(async () => {
  first = await FakeUpstream.start();
  second = await FakeUpstream.start();
  plane = await Plane.start();
  plane.remote('first', 'oci', first.url).remote('second', 'oci', second.url);
  for (const [upstream, manifest] of [
    [first, one],
    [second, two],
  ] as const) {
    const headers = { 'content-type': manifest.type, 'docker-content-digest': manifest.digest };
    for (const name of ['team/app', 'first/app'])
      for (const reference of ['v1', manifest.digest])
        upstream.respond(`/v2/${name}/manifests/${reference}`, { body: manifest.bytes, headers });
    upstream.respond('/v2/team/app/tags/list?n=1000', { body: JSON.stringify({ name: 'team/app', tags: ['v1'] }) });
    upstream.respond('/v2/team/app/tags/list?n=1', { body: JSON.stringify({ name: 'team/app', tags: ['v1'] }) });
  }
});

afterEach(async () => {
  await plane.stop();
  await first.stop();
  await second.stop();
});

/** Which of the two an address leads to. */
const pulled = async (path: string): Promise<string> => {
  const response = await plane.get(path);
  const digest = `sha256:${createHash('sha256')
    .update(Buffer.from(await response.arrayBuffer()))
    .digest('hex')}`;
  if (digest === one.digest) return 'first';
  return digest === two.digest ? 'second' : `${response.status}`;
};
const refused = async (path: string): Promise<[number, string]> => {
  const response = await plane.get(path);
  const body = (await response.json()) as { errors: { code: string; message: string }[] };
  expect(response.headers.get('docker-distribution-api-version')).toBe('registry/2.0');
  return [response.status, `${body.errors[0]?.code}: ${body.errors[0]?.message}`];
};
const host = (upstream: FakeUpstream): string => new URL(upstream.url).host;

describe('an image is found', () => {
  test.each([
    '/v2/first/team/app/manifests/v1',
    '/first/v2/team/app/manifests/v1',
    '/api/v1/remote/first/v2/team/app/manifests/v1',
  ])('at %s', async (path) => expect(await pulled(path)).toBe('first'));

  test('under the name of its repository, before any other of that name', async () => {
    plane.virtual('oci', 'oci', ['second']);
    expect(await pulled('/v2/first/team/app/manifests/v1')).toBe('first');
    expect(await pulled('/v2/oci/first/app/manifests/v1')).toBe('second');
    expect(await pulled('/api/v1/virtual/oci/v2/team/app/manifests/v1')).toBe('second');
  });

  test('without the name of a repository in the one of the default name', async () => {
    expect(await refused('/v2/team/app/manifests/v1')).toEqual([
      404,
      'NAME_UNKNOWN: There is no OCI repository "team", nor one called "oci" for what names none.',
    ]);
    plane.virtual('oci', 'oci', ['second']);
    expect(await pulled('/v2/team/app/manifests/v1')).toBe('second');
  });

  test('in no repository of another format', async () => {
    plane.remote('oci', 'generic', first.url).remote('team', 'generic', first.url);
    expect((await refused('/v2/team/app/manifests/v1'))[0]).toBe(404);
  });

  test('below the root of the protocol only', async () => {
    expect(await refused('/first/team/app/manifests/v1')).toEqual([
      404,
      'NAME_UNKNOWN: "first" is below /v2/first/, where OCI clients look.',
    ]);
    expect((await refused('/first'))[0]).toBe(404);
    expect((await refused('/first/v2x/team/app/manifests/v1'))[0]).toBe(404);
    expect((await plane.get('/api/v1/virtual/first/v2/team/app/manifests/v1')).status).toBe(404);
  });

  test.each([
    '/v2/../first/v2/team/app/manifests/v1',
    '/v2/%2e%2e/first/team/app/manifests/v1',
    '/v2/first//team/app/manifests/v1',
    '/v2//first/team/app/manifests/v1',
    '/v2/first/team%5capp/manifests/v1',
  ])('not at %s', async (path) => {
    const { hostname, port } = new URL(plane.url);
    const asked = request({ hostname, port, path }).end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    response.resume();
    expect([400, 404]).toContain(response.statusCode);
    expect(first.requests).toEqual([]);
  });
});

describe('names are those that the client called', () => {
  test.each([
    ['/v2/first/team/app/tags/list', 'first/team/app'],
    ['/first/v2/team/app/tags/list', 'team/app'],
    ['/v2/team/app/tags/list', 'team/app'],
  ])('at %s', async (path, name) => {
    plane.virtual('oci', 'oci', ['first']);
    expect(await (await plane.get(path)).json()).toEqual({ name, tags: ['v1'] });
  });
});

describe('a client that says which registry it wants', () => {
  const asking = (namespace: string, name = 'team/app') =>
    plane.get(`/v2/${name}/manifests/v1?ns=${encodeURIComponent(namespace)}`);

  test('gets the repository that mirrors it, and is told so', async () => {
    for (const upstream of [first, second]) {
      const response = await asking(host(upstream));
      expect(response.status).toBe(200);
      expect(response.headers.get('oci-namespace')).toBe(host(upstream));
    }
    expect(await pulled(`/v2/team/app/manifests/v1?ns=${host(second)}`)).toBe('second');
  });

  test('is told so when the answer comes from memory, and when it is a refusal', async () => {
    for (let times = 0; times < 3; times++) {
      const path = `/v2/team/app/manifests/${one.digest}?ns=${host(first)}`;
      expect((await plane.get(path)).headers.get('oci-namespace')).toBe(host(first));
    }
    const refusal = await plane.get(`/v2/team/app/manifests/NO!?ns=${host(first)}`);
    expect([refusal.status, refusal.headers.get('oci-namespace')]).toEqual([400, host(first)]);
  });

  test('gets the virtual one rather than its member, and the first by name of several', async () => {
    plane.virtual('b', 'oci', ['second', 'first']).virtual('a', 'oci', ['second', 'first']);
    await asking(host(first));
    expect(plane.pulls.at(-1)?.repository).toBe('a');
    plane.withdraw('a').withdraw('b').remote('a-mirror', 'oci', second.url);
    expect(await pulled(`/v2/team/app/manifests/v1?ns=${host(second)}`)).toBe('second');
    expect(plane.pulls.at(-1)?.repository).toBe('a-mirror');
  });

  test('names a repository of ours all the same', async () => {
    const response = await asking(host(second), 'first/team/app');
    expect(response.status).toBe(200);
    expect(response.headers.get('oci-namespace')).toBeNull();
    expect(first.requests.length).toBeGreaterThan(0);
    expect(second.requests).toEqual([]);
  });

  test('is never sent to a host that nobody declared', async () => {
    plane.virtual('oci', 'oci', ['first']);
    for (const namespace of ['registry.test', '169.254.169.254', '', 'x\r\ny: z', host(first).replace('127', '128')]) {
      const response = await asking(namespace);
      expect(response.status).toBe(404);
      expect(response.headers.get('oci-namespace')).toBeNull();
      expect(await response.text()).toContain('None of the repositories here mirrors');
    }
    expect(first.requests).toEqual([]);
  });

  test('knows Docker Hub by the name that images have', () => {
    plane.remote('hub', 'oci', 'https://registry-1.docker.io');
    for (const namespace of ['docker.io', 'registry-1.docker.io'])
      expect(plane.engine.mirrorOf('v2', namespace)?.name).toBe('hub');
    expect(plane.engine.mirrorOf('v2', 'index.docker.io')).toBeUndefined();
  });
});
