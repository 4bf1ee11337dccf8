import { describe, expect, test } from 'vitest';
import {
  type AliasTarget,
  type ArtifactTarget,
  type IndexTarget,
  Malformed,
  type RawDocument,
  type Target,
} from '../../engine/format.ts';
import { get, site } from '../fixtures.ts';
import { oci } from './index.ts';

const NAME = 'team/app';
const SHA256 = `sha256:${'ab'.repeat(32)}`;
const SHA512 = `sha512:${'cd'.repeat(64)}`;

const asked = (path: string, query = ''): Target | undefined => oci.parse(get(path, undefined, query), site);
const artifact = (path: string) => asked(path) as ArtifactTarget;
const index = (path: string, query = '') => asked(path, query) as IndexTarget;
const tagIndex = (path: string) => (asked(path) as AliasTarget).of[0] as IndexTarget;
const raw = (value: unknown, type = 'application/json'): RawDocument => ({
  bytes: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
  type,
  url: 'https://upstream.test/v2/x',
});

describe('what a request asks for', () => {
  test.each([
    ['alpine/blobs/', SHA256, 'alpine'],
    ['library/alpine/blobs/', SHA512, 'library/alpine'],
    ['a/blobs/b/blobs/', SHA256, 'a/blobs/b'],
    ['manifests/manifests/blobs/', SHA256, 'manifests/manifests'],
    ['a/tags/list/blobs/', SHA256, 'a/tags/list'],
  ])('%s<digest> → a blob of an image', (path, of, name) => {
    expect(asked(path + of)).toEqual({
      kind: 'artifact',
      path: path + of,
      name,
      role: 'metadata',
      digest: of,
      unlisted: true,
      part: `${name}/manifests/`,
      type: 'application/octet-stream',
    });
  });

  test.each([SHA256, SHA512])('a manifest by %.6s is a release that describes itself', (of) => {
    const file = artifact(`${NAME}/manifests/${of}`);
    expect(file).toMatchObject({ kind: 'artifact', name: NAME, version: of, role: 'package', digest: of });
    expect(oci.factsOf(file)).toMatchObject([{ path: file.path, digest: of, opaque: true, partial: true, file }]);
  });

  test.each(['latest', '1.0_rc-2', 'A', `sha256-${'ab'.repeat(32)}.sig`, 'x'.repeat(128)])(
    'a manifest by the tag %.20s is a name for another',
    (tag) => {
      const path = `a-b__c.d/manifests/${tag}`;
      expect(asked(path)).toMatchObject({ kind: 'alias', path, select: tag, of: [{ path, name: 'a-b__c.d' }] });
    },
  );

  test('lists, by page or whole, whichever mirror is meant', () => {
    expect(index(`${NAME}/tags/list`)).toMatchObject({ kind: 'index', name: NAME, view: 'tags' });
    expect(index(`${NAME}/tags/list`, 'ns=docker.io')).toEqual(index(`${NAME}/tags/list`));
    expect(index(`${NAME}/tags/list`, 'last=b&n=02')).toMatchObject({ view: 'tags?n=2&last=b' });
    expect(index('_catalog', 'n=5')).toMatchObject({ kind: 'index', scope: 'repository', view: 'catalog?n=5' });
    expect(index('a/tags/tags/list').name).toBe('a/tags');
    expect(index(`${NAME}/referrers/${SHA256}`)).toMatchObject({ view: 'referrers' });
    expect(index(`${NAME}/referrers/${SHA256}`, 'artifactType=a%2Fb').view).toBe('referrers:a/b');
  });

  test.each([
    '',
    'v2',
    NAME,
    'tags/list',
    'manifests/latest',
    `blobs/${SHA256}`,
    `${NAME}/tags/list/`,
    `${NAME}/tags`,
    `${NAME}/blobs/uploads/`,
    '_catalog/',
    '_token',
  ])('%j is nothing of it', (path) => {
    expect(asked(path)).toBeUndefined();
  });

  test.each(['POST', 'PUT', 'PATCH', 'DELETE'])('%s is not', (method) => {
    expect(oci.parse({ ...get(`${NAME}/manifests/latest`), method }, site)).toBeUndefined();
  });

  test.each([
    ['Team/app/manifests/latest', '', 'NAME_INVALID'],
    ['team/_app/tags/list', '', 'NAME_INVALID'],
    [`a..b/blobs/${SHA256}`, '', 'NAME_INVALID'],
    [`${'a/'.repeat(200)}b/tags/list`, '', 'NAME_INVALID'],
    [`${NAME}/blobs/latest`, '', 'DIGEST_INVALID'],
    [`${NAME}/blobs/sha256:ab`, '', 'DIGEST_INVALID'],
    [`${NAME}/manifests/${SHA256.toUpperCase()}`, '', 'DIGEST_INVALID'],
    [`${NAME}/manifests/md5:${'ab'.repeat(16)}`, '', 'DIGEST_INVALID'],
    [`${NAME}/referrers/latest`, '', 'DIGEST_INVALID'],
    [`${NAME}/manifests/-x`, '', 'TAG_INVALID'],
    [`${NAME}/manifests/${'x'.repeat(129)}`, '', 'TAG_INVALID'],
    [`${NAME}/tags/list`, 'n=-1', 'PAGINATION_NUMBER_INVALID'],
    ['_catalog', 'n=many', 'PAGINATION_NUMBER_INVALID'],
  ])('%s?%s is wrong, with the code that clients know: %s', (path, query, code) => {
    const message = messageOf(() => asked(path, query));
    const body = oci.fault('invalid', message, undefined);
    expect(JSON.parse(String(body.bytes))).toEqual({ errors: [{ code, message }] });
  });
});

describe('where the upstream has it', () => {
  const places = (target: Target, upstream = 'https://upstream.test') =>
    oci.locate?.(target as IndexTarget | ArtifactTarget, { ...site, upstream }) ?? [];
  const paths = (target: Target, upstream?: string) => places(target, upstream).map(({ path }) => path);
  const BLOB = artifact(`${NAME}/blobs/${SHA256}`);

  test('a tag is asked for with HEAD, then with GET, always for every type of manifest', () => {
    const [head, read] = places(tagIndex(`${NAME}/manifests/v1`));
    expect(head).toMatchObject({ method: 'HEAD', take: ['docker-content-digest'], path: `v2/${NAME}/manifests/v1` });
    expect(read).not.toHaveProperty('method');
    for (const place of [head, read, ...places(artifact(`${NAME}/manifests/${SHA256}`))]) {
      expect(place?.headers?.['accept']?.split(', ')).toEqual([
        'application/vnd.oci.image.manifest.v1+json',
        'application/vnd.oci.image.index.v1+json',
        'application/vnd.docker.distribution.manifest.v2+json',
        'application/vnd.docker.distribution.manifest.list.v2+json',
      ]);
    }
  });

  test.each([
    ['https://registry-1.docker.io', 'alpine', 'v2/library/alpine', 'library/alpine'],
    ['https://registry-1.docker.io', 'grafana/loki', 'v2/grafana/loki', 'grafana/loki'],
    ['https://docker.io.evil.test', 'alpine', 'v2/alpine', 'alpine'],
    ['https://upstream.test:5000', 'alpine', 'v2/alpine', 'alpine'],
    ['https://upstream.test/mirror', 'alpine', 'v2/alpine', 'alpine'],
    ['https://upstream.test/v2', 'alpine', 'alpine', 'alpine'],
    ['https://upstream.test/x/v2/hub/', 'alpine', 'alpine', 'hub/alpine'],
  ])('%s has %s below %s, and gives a token for %s', (upstream, name, path, scope) => {
    const all = [
      artifact(`${name}/blobs/${SHA256}`),
      artifact(`${name}/manifests/${SHA256}`),
      tagIndex(`${name}/manifests/v1`),
      index(`${name}/tags/list`),
      index(`${name}/referrers/${SHA256}`),
    ].flatMap((target) => places(target, upstream));
    for (const place of all) {
      expect(place.path?.startsWith(`${path}/`)).toBe(true);
      expect(place.scope).toBe(`repository:${scope}:pull`);
      expect(place.origin).toBeUndefined();
    }
  });

  test('lists are asked for in large pages, the catalog with a scope of its own', () => {
    expect(paths(index(`${NAME}/tags/list`, 'n=1'))).toEqual([`v2/${NAME}/tags/list?n=1000`]);
    expect(places(index('_catalog'))).toMatchObject([{ path: 'v2/_catalog?n=1000', scope: 'registry:catalog:*' }]);
  });

  test('referrers are where the API has them, else where the tag schema does', () => {
    expect(paths(index(`${NAME}/referrers/${SHA256}`))).toEqual([
      `v2/${NAME}/referrers/${SHA256}`,
      `v2/${NAME}/manifests/${SHA256.replace(':', '-')}`,
    ]);
    expect(paths(index(`${NAME}/referrers/${SHA512}`))[1]).toBe(
      `v2/${NAME}/manifests/${SHA512.replace(':', '-').slice(0, 'sha512-'.length + 64)}`,
    );
  });

  test('clients call it by its host, and Docker Hub by its name', () => {
    expect(oci.namespaces?.('https://upstream.test:5000/x', {})).toEqual(['upstream.test:5000']);
    expect(oci.namespaces?.('https://registry-1.docker.io', {})).toEqual(['docker.io', 'registry-1.docker.io']);
  });

  test('an image is somebody’s who has the manifest, or any tag of it', () => {
    const exists = `${NAME}/tags/list?n=1`;
    const rosters = (near?: Target) => oci.roster(NAME, near).map(({ path }) => path);
    expect(rosters()).toEqual([exists]);
    expect(rosters(BLOB)).toEqual([exists]);
    expect(rosters(index(`${NAME}/referrers/${SHA256}`))).toEqual([exists]);
    expect(rosters(tagIndex(`${NAME}/manifests/v1`))).toEqual([`${NAME}/manifests/v1`, exists]);
    expect(rosters(asked(`${NAME}/manifests/v1`))).toEqual([`${NAME}/manifests/v1`, exists]);
    expect(rosters(artifact(`${NAME}/manifests/${SHA256}`))).toEqual([`${NAME}/manifests/${SHA256}`, exists]);
    expect(rosters(index(`${NAME}/tags/list`, 'n=5'))).toEqual([`${NAME}/tags/list`]);
  });

  test('a version is looked for where it is a manifest, and a tag in the list of them', () => {
    const version = (of: string) => ({ ...index(`${NAME}/tags/list`), view: `version:${of}` });
    expect(oci.roster(NAME, version(SHA256))[0]?.path).toBe(`${NAME}/manifests/${SHA256}`);
    expect(oci.roster(NAME, version('v1'))[0]?.path).toBe(`${NAME}/tags/list`);
  });

  test('what a tag meant before is that manifest, still asked for by the tag', () => {
    const meant = { ...artifact(`${NAME}/manifests/${SHA512}`), tag: 'v1' };
    expect(oci.index.earlier?.(meant, SHA256)).toEqual({ ...artifact(`${NAME}/manifests/${SHA256}`), tag: 'v1' });
  });

  test('one tag is all that is asked for to know that', () => {
    const [exists] = oci.roster(NAME) as [IndexTarget];
    expect(paths(exists)).toEqual([`v2/${NAME}/tags/list?n=1`]);
    const page = { ...raw({ name: NAME, tags: ['a'] }), link: `</v2/${NAME}/tags/list?n=1&last=a>; rel="next"` };
    expect(oci.index.more?.(oci.index.decode(page, exists), exists)).toEqual([]);
  });
});

test('what a client is told', () => {
  const says = (code: Parameters<typeof oci.fault>[0], path?: string) =>
    JSON.parse(String(oci.fault(code, 'why', path === undefined ? undefined : asked(path)).bytes)).errors;
  expect(says('not_found', `${NAME}/manifests/v1`)).toEqual([{ code: 'MANIFEST_UNKNOWN', message: 'why' }]);
  expect(says('not_found', `${NAME}/manifests/${SHA256}`)).toMatchObject([{ code: 'MANIFEST_UNKNOWN' }]);
  expect(says('not_found', `${NAME}/blobs/${SHA256}`)).toMatchObject([{ code: 'BLOB_UNKNOWN' }]);
  expect(says('not_found', `${NAME}/tags/list`)).toMatchObject([{ code: 'NAME_UNKNOWN' }]);
  expect(says('withheld')).toMatchObject([{ code: 'DENIED' }]);
  expect(says('unauthenticated')).toMatchObject([{ code: 'UNAUTHORIZED' }]);
  expect(says('rate_limited')).toMatchObject([{ code: 'TOOMANYREQUESTS' }]);
  expect(says('unsupported')).toMatchObject([{ code: 'UNSUPPORTED' }]);
});

test('every answer says which API this is, and which digest it has', () => {
  const version = { 'docker-distribution-api-version': 'registry/2.0' };
  expect(oci.headers?.(undefined, undefined)).toEqual(version);
  expect(oci.headers?.(artifact(`${NAME}/blobs/${SHA512}`), SHA256)).toEqual({
    ...version,
    'docker-content-digest': SHA512,
  });
  expect(oci.headers?.(asked(`${NAME}/manifests/v1`), SHA256)).toEqual({ ...version, 'docker-content-digest': SHA256 });
  expect(oci.headers?.(index(`${NAME}/tags/list`), SHA256)).toEqual(version);
});

test('images of two folders are two packages', () => {
  expect(oci.purl?.('a/app', {})).not.toEqual(oci.purl?.('b/app', {}));
});

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof Malformed) return error.message;
    throw error;
  }
  throw new Error('nothing was thrown');
}
