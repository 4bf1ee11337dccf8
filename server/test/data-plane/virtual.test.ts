import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { imageOf, topOf } from '../support/oci-image.ts';
import { publishImages } from '../support/oci-upstream.ts';
import { Plane } from '../support/plane.ts';

let first: FakeUpstream;
let second: FakeUpstream;
let plane: Plane;

beforeEach(async () => {
  [first, second, plane] = await Promise.all([FakeUpstream.start(), FakeUpstream.start(), Plane.start()]);
});
afterEach(async () => {
  await plane.stop();
  for (const upstream of [first, second]) await upstream.stop();
});

const JSON_LIST = 'application/vnd.pypi.simple.v1+json';
const both = (format: string, spec: { claims?: readonly string[]; merge?: string } = {}) =>
  plane
    .remote('own', format, first.url)
    .remote('public', format, second.url)
    .virtual('all', format, ['own', 'public'], spec);
const json = async (path: string, headers = {}) => (await plane.get(path, headers)).json() as Promise<never>;
const asked = (upstream: FakeUpstream) => upstream.requests.map(({ path }) => path);

describe('a list of all there is', () => {
  const list = (upstream: FakeUpstream, ...names: string[]) =>
    upstream.respond('/simple/', {
      body: JSON.stringify({ meta: { 'api-version': '1.0' }, projects: names.map((name) => ({ name })) }),
      headers: { 'content-type': JSON_LIST },
    });
  const projects = async (at: string) => {
    const { projects } = (await json(`/${at}/simple/`, { accept: JSON_LIST })) as { projects: { name: string }[] };
    return projects.map(({ name }) => name);
  };

  test.each(['first', 'union'])('has the projects of every member: %s', async (merge) => {
    list(first, 'acme-tool', 'shared');
    list(second, 'shared', 'requests');
    both('pypi', { merge });
    expect((await projects('all')).toSorted()).toEqual(['acme-tool', 'requests', 'shared']);
    expect(await (await plane.get('/all/simple/')).text()).toContain('<a href="requests/">requests</a>');
  });

  test('shows no name that is claimed for others, there or at the member’s own address, and raises an alert', async () => {
    list(first, 'acme-tool');
    list(second, 'Acme_Evil', 'requests');
    both('pypi', { claims: ['acme-*'] });
    expect((await projects('all')).toSorted()).toEqual(['requests']);
    expect(await projects('public')).toEqual(['requests']);
    await plane.engine.alerted();
    const alerts = await plane.ledger.alerts({}, { limit: 10 });
    const found = alerts.map(({ kind, repository, member, name }) => [kind, repository, member, name].join(' '));
    expect(found.toSorted()).toEqual(['claimed_name all own acme-tool', 'claimed_name all public Acme_Evil']);
    expect(plane.events.filter(({ kind }) => kind === 'alert')).toHaveLength(2);
    expect(plane.logged).toContainEqual({ level: 'warn', message: expect.stringContaining('claimed for others') });
  });

  test('is made of the others’ where a registry keeps its own to itself, and of nobody’s while one is away', async () => {
    first.respond('/v2/_catalog?n=1000', { status: 401, body: '{}' });
    second.respond('/v2/_catalog?n=1000', {
      body: '{"repositories":["acme/app","library/alpine"]}',
      headers: { 'content-type': 'application/json' },
    });
    for (const upstream of [first, second]) upstream.respond('/v2/_catalog', { status: 401, body: '{}' });
    second.respond('/v2/_catalog', {
      body: '{"repositories":["acme/app","library/alpine"]}',
      headers: { 'content-type': 'application/json' },
    });
    both('oci', { claims: ['acme/*'] });
    expect(await json('/v2/all/_catalog')).toEqual({ repositories: ['all/library/alpine'] });
    await second.down();
    plane.ahead = 30 * 86_400_000;
    expect((await plane.get('/v2/all/_catalog')).status).toBe(503);
  });
});

describe('a call about several packages', () => {
  const AUDIT = '/-/npm/v1/security/advisories/bulk';

  test('leaves this server without the names that are claimed for others', async () => {
    for (const upstream of [first, second]) upstream.quirk('*', { kind: 'status', status: 404 });
    second.calm().respond(AUDIT, { body: '{"lodash":[]}', headers: { 'content-type': 'application/json' } }, 'POST');
    both('npm', { claims: ['@acme/*'] });
    plane.virtual('all', 'npm', ['public', 'own'], { claims: ['@acme/*'] });
    const audit = { lodash: ['1.0.0'], '@acme/secret-plan': ['1.0.0'] };
    const answer = await fetch(`${plane.url}/all${AUDIT}`, { method: 'POST', body: JSON.stringify(audit) });
    expect([answer.status, await answer.json()]).toEqual([200, { lodash: [] }]);
    expect(JSON.parse(String(second.requests[0]?.body))).toEqual({ lodash: ['1.0.0'] });
    const tree = {
      name: '@acme/app',
      requires: { '@acme/x': '1' },
      dependencies: { 'node_modules/@acme/x': {}, a: {} },
    };
    await fetch(`${plane.url}/public${AUDIT}`, { method: 'POST', body: JSON.stringify(tree) });
    expect(JSON.parse(String(second.requests[1]?.body))).toEqual({
      name: 'project',
      requires: {},
      dependencies: { a: {} },
    });
    const broken = await fetch(`${plane.url}/public${AUDIT}`, { method: 'POST', body: '{' });
    expect([broken.status, second.requests.length]).toEqual([400, 2]);
  });

  test.each([
    ['npm', '/-/v1/search?text=@acme/secret'],
    ['npm', '/-/v1/search?text=scope:acme%20plan'],
    ['npm', '/-/v1/search?size=20&text=%40acme'],
    ['cargo', '/api/v1/crates?q=acme-secret'],
    ['go', '/sumdb/sums.test/lookup/acme.test/secret@v1.0.0'],
    ['maven', '/com/acme/maven-metadata.xml'],
  ])('is not made where it is a search for one: %s %s', async (format, path) => {
    for (const upstream of [first, second]) upstream.quirk('*', { kind: 'status', status: 404 });
    both(format, { claims: [{ maven: 'com.acme:*', go: 'acme.test/*', cargo: 'acme_*' }[format] ?? '@acme/*'] });
    for (const at of ['all', 'public']) expect([403, 404]).toContain((await plane.get(`/${at}${path}`)).status);
    expect(asked(second)).toEqual([]);
  });
});

test('a tag that only the second of merged members has is the second’s image', async () => {
  const [one, two] = [imageOf('one'), imageOf('two')];
  publishImages(first, 'team/app', { v1: one });
  publishImages(second, 'team/app', { v2: two });
  first.respond('/v2/team/app/manifests/v2', { status: 404, body: '' });
  first.respond(`/v2/team/app/manifests/${topOf(two).digest}`, { status: 404, body: '' });
  both('oci', { merge: 'union' });
  const answer = await plane.get('/v2/all/team/app/manifests/v2');
  expect([answer.status, answer.headers.get('docker-content-digest')]).toEqual([200, topOf(two).digest]);
});

describe('one release in two members', () => {
  const hashOf = (digit: string) => ({ sha256: digit.repeat(64) });
  const page = (upstream: FakeUpstream, ...files: readonly (readonly [string, string])[]) => {
    upstream.respond('/simple/box/', {
      body: JSON.stringify({
        meta: { 'api-version': '1.0' },
        name: 'box',
        files: files.map(([filename, digit]) => ({
          filename,
          url: `${upstream.url}/f/${filename}`,
          hashes: hashOf(digit),
        })),
      }),
      headers: { 'content-type': JSON_LIST },
    });
    for (const [filename] of files) upstream.respond(`/f/${filename}`, { body: filename });
    upstream.respond('/pypi/box/json', { status: 404 });
  };
  const files = async () => {
    const { files } = (await json('/all/simple/box/', { accept: JSON_LIST })) as { files: { filename: string }[] };
    return files.map(({ filename }) => filename);
  };

  test('is the first one’s whole: no wheel of another is put beside its sources', async () => {
    page(first, ['box-1.0.tar.gz', '1']);
    page(second, ['box-1.0.0-py3-none-any.whl', '2'], ['box-2.0.tar.gz', '3']);
    both('pypi', { merge: 'union' });
    expect(await files()).toEqual(['box-1.0.tar.gz', 'box-2.0.tar.gz']);
    const answer = await plane.get('/all/packages/box/box-1.0.0-py3-none-any.whl');
    expect([answer.status, await answer.text()]).toEqual([404, expect.stringContaining('"own" has')]);
    expect(asked(second)).not.toContain('/f/box-1.0.0-py3-none-any.whl');
  });

  test('is the other’s where the first one’s is hidden', async () => {
    page(first, ['box-1.0.tar.gz', '1']);
    page(second, ['box-1.0-py3-none-any.whl', '2']);
    both('pypi', { merge: 'union' });
    plane.remote('own', 'pypi', first.url, { blocklist: ['box-1\\.0'] });
    expect(await files()).toEqual(['box-1.0-py3-none-any.whl']);
    // Its bytes are not what its digest says: that they were asked for is what matters.
    await plane.get('/all/packages/box/box-1.0-py3-none-any.whl');
    expect(asked(second)).toContain('/f/box-1.0-py3-none-any.whl');
  });

  test('with different bytes is on record, with the digests of both', async () => {
    page(first, ['box-1.0.tar.gz', '1'], ['box-1.1.tar.gz', '4']);
    page(second, ['box-1.0.tar.gz', '2'], ['box-1.1.tar.gz', '4']);
    both('pypi', { merge: 'union' });
    for (let twice = 0; twice < 2; twice++) await files();
    await plane.engine.alerted();
    const versions = [{ version: '1.0', digests: [`sha256:${'1'.repeat(64)}`, `sha256:${'2'.repeat(64)}`] }];
    expect(await plane.ledger.alerts({}, { limit: 10 })).toMatchObject([
      {
        kind: 'version_conflict',
        repository: 'all',
        member: 'public',
        name: 'box',
        details: { served: 'own', versions },
      },
    ]);
    expect(plane.events.filter(({ kind }) => kind === 'alert')).toHaveLength(1);
  });
});
