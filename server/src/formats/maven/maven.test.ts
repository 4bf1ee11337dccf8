import { describe, expect, test } from 'vitest';
import { type ArtifactTarget, Malformed } from '../../engine/format.ts';
import { get, site } from '../fixtures.ts';
import { maven } from './index.ts';

const parse = (path: string, method = 'GET') => maven.parse({ ...get(path), method }, site);
const API = 'org/slf4j/slf4j-api';

describe('a file of a release, which never changes', () => {
  test.each([
    [`${API}/2.0.16/slf4j-api-2.0.16.jar`, 'org.slf4j/slf4j-api', '2.0.16', 'package'],
    [`${API}/2.0.16/slf4j-api-2.0.16-sources.jar`, 'org.slf4j/slf4j-api', '2.0.16', 'package'],
    [`${API}/2.0.16/slf4j-api-2.0.16.pom`, 'org.slf4j/slf4j-api', '2.0.16', 'metadata'],
    [`${API}/2.0.16/slf4j-api-2.0.16.module`, 'org.slf4j/slf4j-api', '2.0.16', 'metadata'],
    [`${API}/2.0.16/slf4j-api-2.0.16.jar.sha1`, 'org.slf4j/slf4j-api', '2.0.16', 'signature'],
    [`${API}/2.0.16/slf4j-api-2.0.16.jar.sha512`, 'org.slf4j/slf4j-api', '2.0.16', 'signature'],
    [`${API}/2.0.16/slf4j-api-2.0.16.pom.asc`, 'org.slf4j/slf4j-api', '2.0.16', 'signature'],
    [`${API}/2.0.16/slf4j-api-2.0.16.pom.asc.md5`, 'org.slf4j/slf4j-api', '2.0.16', 'signature'],
    [`${API}/2.0.16/slf4j-api-2.0.16.jar.sigstore.json`, 'org.slf4j/slf4j-api', '2.0.16', 'signature'],
    ['junit/junit/4.13.2/junit-4.13.2.jar', 'junit/junit', '4.13.2', 'package'],
    ['com/acme/app/1.0+b7/app-1.0+b7-bin.tar.gz', 'com.acme/app', '1.0+b7', 'package'],
    ['com/acme/lib/1.0/lib-1.0.aar', 'com.acme/lib', '1.0', 'package'],
    ['com/acme/sbt-x_2.12_1.0/1.9.4/sbt-x-1.9.4.jar', 'com.acme/sbt-x_2.12_1.0', '1.9.4', 'package'],
    [
      'com/acme/demo/com.acme.demo.gradle.plugin/1.0/com.acme.demo.gradle.plugin-1.0.pom',
      'com.acme.demo/com.acme.demo.gradle.plugin',
      '1.0',
      'metadata',
    ],
  ])('%s', (path, name, version, role) => {
    expect(parse(path)).toMatchObject({ kind: 'artifact', path, name, version, role, unlisted: true });
    expect(parse(path)).not.toHaveProperty('mutable');
    expect(parse(path, 'HEAD')).toEqual(parse(path));
  });
});

describe('a snapshot', () => {
  const widget = 'com/acme/widget/1.1-SNAPSHOT';

  test.each(['widget-1.1-20261121.144808-1.jar', 'widget-1.1-20261121.144808-1-sources.jar.sha1'])(
    'that was deployed once never changes: %s',
    (file) => {
      const target = parse(`${widget}/${file}`);
      expect(target).toMatchObject({ name: 'com.acme/widget', version: '1.1-SNAPSHOT' });
      expect(target).not.toHaveProperty('mutable');
    },
  );

  test.each(['widget-1.1-SNAPSHOT.jar', 'widget-1.1-SNAPSHOT.jar.sha1', 'widget-1.1-20261121.jar'])(
    'under a name that stays may change: %s',
    (file) => expect(parse(`${widget}/${file}`)).toMatchObject({ version: '1.1-SNAPSHOT', mutable: true }),
  );

  test('has a list of its files, which is no list of the versions', () => {
    const target = parse(`${widget}/maven-metadata.xml`);
    expect(target).toMatchObject({ kind: 'index', name: 'com.acme/widget', partial: true, unlisted: true });
    const file = parse(`${widget}/widget-1.1-20261121.144808-1.jar`);
    expect(maven.roster('com.acme/widget', file)).toEqual([parse('com/acme/widget/maven-metadata.xml'), target]);
    expect(maven.roster('com.acme/widget', target)).toEqual(maven.roster('com.acme/widget', file));
  });
});

describe('maven-metadata.xml', () => {
  test.each([
    [API, { name: 'org.slf4j/slf4j-api', scope: 'package' }],
    ['org/apache/maven/plugins', { name: 'org.apache.maven/plugins', scope: 'package' }],
    ['junit', { scope: 'repository' }],
  ])('in %s', (folder, expected) => {
    expect(parse(`${folder}/maven-metadata.xml`)).toEqual({
      kind: 'index',
      path: `${folder}/maven-metadata.xml`,
      view: 'xml',
      ...expected,
    });
  });

  test.each([
    ['sha1', 'sha1'],
    ['md5', 'md5'],
    ['sha256', 'sha256'],
    ['sha512', 'sha512'],
    ['asc', 'signature'],
  ])('has a .%s of our own', (ending, as) => {
    const path = `${API}/maven-metadata.xml.${ending}`;
    expect(parse(path)).toEqual({ kind: 'derived', path, of: parse(`${API}/maven-metadata.xml`), as });
  });

  test('is found from any file of the artifact, and need not be there', () => {
    const target = parse(`${API}/2.0.16/slf4j-api-2.0.16.jar`) as ArtifactTarget;
    expect(maven.factsOf(target)).toMatchObject([{ path: `${API}/maven-metadata.xml`, optional: true }]);
    expect(maven.roster('org.slf4j/slf4j-api')).toEqual([parse(`${API}/maven-metadata.xml`)]);
  });
});

test.each(['archetype-catalog.xml', '.index/nexus-maven-repository-index.gz', '.meta/prefixes.txt'])(
  '%s is of no package, and changes',
  (path) => expect(parse(path)).toEqual({ kind: 'artifact', path, role: 'metadata', mutable: true }),
);

test.each([
  '',
  'org/slf4j',
  `${API}/2.0.16/`,
  `${API}/2.0.16/readme.html`,
  `${API}/2.0.16/slf4j-api-2.0.160.jar`,
  'org.slf4j/slf4j-api/2.0.16/slf4j-api-2.0.16.jar',
  'org.slf4j/slf4j-api/maven-metadata.xml',
  `${API}/maven-metadata.xml.asc.sha1`,
  `${API}/maven-metadata.xml.constructor`,
  'org/sl f4j/api/1/api-1.jar',
])('there is nothing at %j', (path) => expect(parse(path)).toBeUndefined());

test.each(['PUT', 'POST', 'DELETE'])('%s is nothing it knows', (method) => {
  expect(parse(`${API}/maven-metadata.xml`, method)).toBeUndefined();
});

test('a file has what is known of its bytes in a header, an index and an error have not', () => {
  const jar = parse(`${API}/2.0.16/slf4j-api-2.0.16.jar`);
  expect(maven.headers?.(jar, 'sha256:abc')).toEqual({ 'x-checksum-sha256': 'abc' });
  expect(maven.headers?.(jar, undefined)).toEqual({});
  expect(maven.headers?.(parse(`${API}/maven-metadata.xml`), 'sha256:abc')).toEqual({});
});

describe('the digest of a file', () => {
  const of = (path: string) => maven.checksum?.of(parse(path) as ArtifactTarget);

  test('is in the .sha1 beside it', () => {
    const path = `${API}/2.0.16/slf4j-api-2.0.16.jar`;
    expect(of(path)).toEqual({ algorithm: 'sha1', target: parse(`${path}.sha1`) });
  });

  test.each([
    `${API}/2.0.16/slf4j-api-2.0.16.jar.sha1`,
    `${API}/2.0.16/slf4j-api-2.0.16.jar.asc`,
    'com/acme/widget/1.1-SNAPSHOT/widget-1.1-SNAPSHOT.jar',
    'archetype-catalog.xml',
  ])('cannot be relied on for %s', (path) => expect(of(path)).toBeUndefined());

  const hex = 'B9598A1ee12f3118446ed369fe9c507bfeafd570';
  test.each([hex, `${hex}\n`, `${hex}  slf4j-api-2.0.16.jar\n`, `SHA1(slf4j-api-2.0.16.jar)= ${hex}`, `${hex} *x.jar`])(
    'is read from %j',
    (text) => expect(maven.checksum?.read(text, 'sha1')).toBe(`sha1:${hex.toLowerCase()}`),
  );

  test.each(['', '<html>', hex.slice(1), `${hex}0`, 'x'.repeat(40)])('is not read from %j', (text) => {
    expect(maven.checksum?.read(text, 'sha1')).toBeUndefined();
  });
});

test('a web page or an entity in place of the metadata is refused in words', () => {
  const target = maven.roster('org.slf4j/slf4j-api')[0];
  const decode = (text: string) =>
    target && maven.index.decode({ bytes: Buffer.from(text), type: 'text/xml', url: '' }, target);
  expect(() => decode('<html><body/></html>')).toThrow(
    new Malformed(`maven-metadata.xml of ${API} is <html>, not <metadata>`),
  );
  expect(() => decode('<!DOCTYPE metadata [<!ENTITY a "b">]><metadata/>')).toThrow(Malformed);
  expect(() => decode('{}')).toThrow('is not XML');
});
