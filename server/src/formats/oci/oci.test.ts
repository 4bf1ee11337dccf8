import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  type AliasTarget,
  type ArtifactTarget,
  type IndexTarget,
  Malformed,
  type RawDocument,
  type Target,
} from '../../engine/format.ts';
import { documentOf, type Fixture, fixturesOf, get, site, targetOf } from '../fixtures.ts';
import { oci } from './index.ts';

const NAME = 'team/app';
const SHA256 = `sha256:${'ab'.repeat(32)}`;
const withheld = { rule: 'blocklist', reason: 'no' };
const below = (base: string) => ({ ...site, base });

const asked = (path: string, query = ''): Target | undefined => oci.parse(get(path, undefined, query), site);
const artifact = (path: string) => asked(path) as ArtifactTarget;
const index = (path: string, query = '') => asked(path, query) as IndexTarget;
const tagIndex = (path: string) => (asked(path) as AliasTarget).of[0] as IndexTarget;
const fixture = (file: string) => fixturesOf(oci).find((each) => each.file === file) as Fixture;
const read = (file: string) => {
  const one = fixture(file);
  const target = targetOf(oci, one);
  const doc = oci.index.decode(documentOf(oci, one), target);
  return { doc, target, releases: [...oci.index.releases(doc)] };
};
const raw = (value: unknown, type = 'application/json'): RawDocument => ({
  bytes: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
  type,
  url: 'https://upstream.test/v2/x',
});
const digest = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;

describe('a manifest', () => {
  test.each(['image.json', 'docker-image.json', 'artifact.json'])('%s is one release with its blobs', (file) => {
    const { target, releases } = read(file);
    const json = JSON.parse(String(documentOf(oci, fixture(file)).bytes));
    const blobs = [...new Set([json.config, ...json.layers].map((each) => each.digest))];
    expect(releases).toMatchObject([{ name: NAME, version: target.digest }]);
    expect(releases[0]?.files).toEqual([
      { path: target.path, digest: target.digest, size: documentOf(oci, fixture(file)).bytes.length },
      ...blobs.map((each) =>
        expect.objectContaining({ path: `${NAME}/blobs/${each}`, digest: each, role: 'metadata' }),
      ),
    ]);
  });

  test.each(['index.json', 'docker-list.json'])('%s: each manifest that it names is a release of its own', (file) => {
    const { target, releases } = read(file);
    const [self, ...children] = releases;
    expect(self?.files).toHaveLength(1);
    expect(self?.version).toBe(target.digest);
    expect(children.length).toBeGreaterThan(0);
    for (const { version, files } of children) expect(files).toMatchObject([{ path: `${NAME}/manifests/${version}` }]);
  });

  test('an index may name blobs, as build caches do', () => {
    const [, ...children] = read('build-cache.json').releases;
    expect(children).toHaveLength(2);
    for (const { version, files } of children)
      expect(files).toMatchObject([{ path: `${NAME}/blobs/${version}`, role: 'metadata' }]);
  });

  test('with a layer that is kept elsewhere is never served, and says where that is', () => {
    const [{ files } = { files: [] }] = read('foreign.json').releases;
    expect(files[0]?.refused).toBe(
      `team/windows has a layer (${digest('windows')}) that is kept at layers.test, which clients would fetch past this registry`,
    );
    expect(files.slice(1).every(({ refused }) => refused === undefined)).toBe(true);
  });

  const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digest('config'), size: 6 };
  const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digest('layer'), size: 5 };
  const image = { schemaVersion: 2, config, layers: [layer] };
  const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
  const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
  const target = oci.factsOf(artifact(`${NAME}/manifests/${SHA256}`))[0] as IndexTarget;
  const versions = (value: unknown, type?: string) =>
    [...oci.index.releases(oci.index.decode(raw(value, type), target))].map(({ version }) => version);

  test.each([
    [image, OCI_MANIFEST],
    [image, `${OCI_MANIFEST}; charset=utf-8`],
    [image, 'application/octet-stream'],
    [{ ...image, mediaType: OCI_MANIFEST }, 'text/plain; charset=utf-8'],
    [{ ...image, layers: null }, OCI_MANIFEST],
    [{ schemaVersion: 2, manifests: [] }, OCI_INDEX],
    [{ schemaVersion: 2, manifests: null }, OCI_INDEX],
    [{ schemaVersion: 2, manifests: [] }, 'application/json'],
  ])('%j as %s is one', (value, type) => {
    expect(versions(value, type)).toEqual([SHA256]);
  });

  test('of which a layer is there twice, or has a digest that nobody can ask for, has the others once', () => {
    const odd = { ...layer, digest: 'blake3:ab' };
    const [release] = [
      ...oci.index.releases(oci.index.decode(raw({ ...image, layers: [layer, layer, odd] }, OCI_MANIFEST), target)),
    ];
    expect(release?.files.map(({ path }) => path)).toEqual([
      target.path,
      `${NAME}/blobs/${config.digest}`,
      `${NAME}/blobs/${layer.digest}`,
    ]);
  });

  test.each([
    ['of schema 1', { schemaVersion: 1, name: NAME, tag: 'v1', fsLayers: [] }, 'application/json', 'schema 1'],
    ['of schema 1', image, 'application/vnd.docker.distribution.manifest.v1+prettyjws', 'schema 1'],
    ['sent as another', { ...image, mediaType: OCI_MANIFEST }, OCI_INDEX, 'was sent as'],
    ['of another type', { ...image, mediaType: 'application/vnd.example.v1+json' }, OCI_MANIFEST, 'no manifest'],
    ['without layers', { schemaVersion: 2, config }, OCI_MANIFEST, 'without'],
    ['that is an index as well', { ...image, manifests: [] }, OCI_MANIFEST, '`manifests`'],
    ['that is an image as well', { ...image, manifests: [] }, OCI_INDEX, '`layers`'],
    ['with a layer of no digest', { ...image, layers: [{}] }, OCI_MANIFEST, 'without a digest'],
    ['with layers that are none', { ...image, layers: [null] }, OCI_MANIFEST, 'without a digest'],
    ['with layers spelt otherwise', { ...image, Layers: [layer] }, OCI_MANIFEST, 'some read as `layers`'],
    [
      'with addresses spelt otherwise',
      { ...image, layers: [{ ...layer, URLs: ['https://x.test'] }] },
      OCI_MANIFEST,
      '`urls`',
    ],
    [
      'with addresses spelt otherwise',
      { ...image, layers: [{ ...layer, urlſ: ['https://x.test'] }] },
      OCI_MANIFEST,
      '`urls`',
    ],
    ['from a captive portal', '<html>', 'text/html', 'markup'],
  ])('%s is refused', (_what, value, type, says) => {
    expect(() => versions(value, type)).toThrow(
      expect.objectContaining({ name: 'Malformed', message: expect.stringContaining(says) }),
    );
  });
});

describe('a tag', () => {
  const target = tagIndex(`${NAME}/manifests/v1`);

  test('means the digest that HEAD was answered with, or that of the manifest', () => {
    const { bytes } = documentOf(oci, fixture('image.json'));
    const means = digest(Buffer.from(bytes).toString());
    for (const one of fixturesOf(oci).filter(({ request }) => request === target.path)) {
      const doc = oci.index.decode(documentOf(oci, one), target);
      expect([...oci.index.releases(doc)]).toMatchObject([{ name: NAME, version: means, tag: 'v1' }]);
      const chosen = oci.index.choose?.(doc, 'v1', () => undefined);
      expect(chosen).toEqual({ ...artifact(`${NAME}/manifests/${means}`), tag: 'v1' });
    }
  });

  test.each(['', 'docker-content-digest: \n', 'docker-content-digest: latest\n', 'docker-content-digest: md5:ab\n'])(
    '%j says nothing of it',
    (lines) => {
      expect(() => oci.index.decode(raw(lines, 'text/x-header-lines'), target)).toThrow(Malformed);
    },
  );
});

describe('a list of tags', () => {
  const page = (query: string, base: string, tags = ['v1', 'v10', 'v2', 'Z']) => {
    const target = index(`${NAME}/tags/list`, query);
    const { bytes, headers } = oci.index.encode(
      oci.index.decode(raw({ name: 'another/name', tags }), target),
      target,
      below(base),
    ) ?? { bytes: '' };
    return { ...JSON.parse(String(bytes)), link: headers?.['link'] };
  };
  const ROOT = 'http://entrepot.test/v2';

  test('is sorted as bytes are, and names the image as the client did', () => {
    const tags = ['Z', 'v1', 'v10', 'v2'];
    expect(page('', ROOT)).toEqual({ name: NAME, tags });
    expect(page('', `${ROOT}/oci`)).toEqual({ name: `oci/${NAME}`, tags });
    expect(page('', 'http://entrepot.test/oci/v2')).toEqual({ name: NAME, tags });
    expect(page('', 'http://entrepot.test/behind/v2/oci').name).toBe(`oci/${NAME}`);
  });

  test('comes in pages, whose links are paths', () => {
    expect(page('n=2', ROOT)).toEqual({
      name: NAME,
      tags: ['Z', 'v1'],
      link: `</v2/${NAME}/tags/list?n=2&last=v1>; rel="next"`,
    });
    expect(page('n=2&last=v1', `${ROOT}/oci`)).toEqual({ name: `oci/${NAME}`, tags: ['v10', 'v2'] });
    expect(page('n=1&last=v1', `${ROOT}/oci`).link).toBe(`</v2/oci/${NAME}/tags/list?n=1&last=v10>; rel="next"`);
    expect(page('last=v0', ROOT).tags).toEqual(['v1', 'v10', 'v2']);
    expect(page('n=0', ROOT)).toEqual({ name: NAME, tags: [] });
    expect(page('n=4', ROOT).link).toBeUndefined();
    expect(page('last=zzz', ROOT).tags).toEqual([]);
  });

  test('has those that can be asked for, each once', () => {
    expect(page('', ROOT, ['a', 'a', '-b', 'c/d', '../e', 'f']).tags).toEqual(['a', 'f']);
    const target = index(`${NAME}/tags/list`);
    expect([...oci.index.releases(oci.index.decode(raw({ name: NAME, tags: null }), target))]).toEqual([]);
    expect(() => oci.index.decode(raw({ name: NAME }), target)).toThrow(Malformed);
  });

  test('of the upstream goes on with the query of its Link, whatever path that has', () => {
    const target = index(`${NAME}/tags/list`);
    const next = (link: string) =>
      oci.index.more?.(oci.index.decode({ ...raw({ tags: ['a'] }), link }, target), target);
    const path = `${NAME}/tags/list?n=1000&last=a`;
    expect(next(`</v2/${NAME}/tags/list?n=1000&last=a>; rel="next"`)).toEqual([{ ...target, path }]);
    expect(next(`<https://upstream.test/odd?n=1000&last=a>;rel=next`)).toEqual([{ ...target, path }]);
    expect(next(`<?x=1>; rel="prev", <?next_page=b>; title="a"; rel="next"`)?.[0]?.path).toBe(
      `${NAME}/tags/list?next_page=b`,
    );
    expect(next('</v2/x>; rel="next"')).toEqual([]);
    expect(next('nonsense')).toEqual([]);
    expect(() => next('<https://evil.test/v2/x?n=1>; rel="next"')).toThrow('another host');
    expect(() => next('<//evil.test/v2/x?n=1>; rel="next"')).toThrow('another host');
    const [second] = next(`<?n=1000&last=a>; rel="next"`) as [IndexTarget];
    expect(oci.locate?.(second, site)).toMatchObject([{ path: `v2/${path}`, scope: `repository:${NAME}:pull` }]);
    const third = oci.index.more?.(
      oci.index.decode({ ...raw({ tags: [] }), link: '<?last=b>; rel="next"' }, second),
      second,
    );
    expect(third?.[0]?.path).toBe(`${NAME}/tags/list?last=b`);
  });

  test('of several is one', () => {
    const target = index(`${NAME}/tags/list`);
    const docs = [['b', 'd'], ['a', 'b'], ['c']].map((tags) => oci.index.decode(raw({ tags }), target));
    const { bytes = '' } = oci.index.encode(oci.index.merge(docs), target, site) ?? {};
    expect(JSON.parse(String(bytes)).tags).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('a catalog', () => {
  const target = index('_catalog', 'n=1');
  const doc = oci.index.decode(raw({ repositories: ['tool', 'team/app', '_bad'] }), target);
  const shown = (of: typeof doc, base: string, view = target.view) => {
    const { bytes = '', headers } = oci.index.encode(of, { ...target, view }, below(base)) ?? {};
    return { ...JSON.parse(String(bytes)), link: headers?.['link'] };
  };

  test('names images as clients must ask for them, in pages', () => {
    expect(shown(doc, 'http://entrepot.test/v2/oci')).toEqual({
      repositories: ['oci/team/app'],
      link: '</v2/oci/_catalog?n=1&last=oci%2Fteam%2Fapp>; rel="next"',
    });
    expect(shown(doc, 'http://entrepot.test/v2/oci', 'catalog?n=1&last=oci%2Fteam%2Fapp')).toEqual({
      repositories: ['oci/tool'],
    });
    expect(shown(doc, 'http://entrepot.test/v2', 'catalog').repositories).toEqual(['team/app', 'tool']);
  });

  test('leaves out an image that is refused by its name', () => {
    const kept = oci.index.keep(doc, (name) => (/^team\/app$/.test(name) ? withheld : undefined));
    expect(shown(kept, 'http://entrepot.test/v2', 'catalog').repositories).toEqual(['tool']);
  });
});

describe('referrers', () => {
  const { doc, target } = read('referrers.json');
  const shown = (of: typeof doc, view = 'referrers') => {
    const body = oci.index.encode(of, { ...target, view }, site);
    return { ...JSON.parse(String(body?.bytes)), applied: body?.headers?.['oci-filters-applied'], type: body?.type };
  };

  test('are passed on with all that is said of them', () => {
    const { manifests, type, applied } = shown(doc);
    expect(manifests).toEqual(JSON.parse(String(documentOf(oci, fixture('referrers.json')).bytes)).manifests);
    expect(type).toBe('application/vnd.oci.image.index.v1+json');
    expect(applied).toBeUndefined();
  });

  test('can be had by their type', () => {
    const { manifests, applied } = shown(doc, 'referrers:application/vnd.example.signature.v1');
    expect(manifests).toMatchObject([{ artifactType: 'application/vnd.example.signature.v1' }]);
    expect(applied).toBe('artifactType');
    expect(shown(doc, 'referrers:application/x').manifests).toEqual([]);
  });

  test('are none, not unknown, where the upstream has none', () => {
    const { bytes = '', type = '' } = target.empty ?? {};
    expect(shown(oci.index.decode(raw(bytes, type), target)).manifests).toEqual([]);
    const { bytes: image } = documentOf(oci, fixture('image.json'));
    expect(shown(oci.index.decode({ ...raw(''), bytes: image }, target)).manifests).toEqual([]);
  });
});
