import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { indexAt, site } from '../fixtures.ts';
import { expectStandIn, type Hiding, hidings, visibleOf, without } from '../repairs.contract.ts';
import { maven } from './index.ts';
import type { Metadata } from './metadata.ts';
import { mavenOrder } from './versions.ts';

const WIDGET = 'com/acme/widget/maven-metadata.xml';
const SNAPSHOT = 'com/acme/widget/1.1-SNAPSHOT/maven-metadata.xml';

const version = fc
  .tuple(
    fc.integer({ min: 0, max: 3 }),
    fc.integer({ min: 0, max: 12 }),
    fc.constantFrom('', '', '', '-rc1', '-M2', '-SNAPSHOT', '-jre', '.Final'),
  )
  .map(([major, minor, rest]) => `${major}.${minor}${rest}`);

interface Given extends Hiding {
  readonly latest: string;
  readonly release: string;
}

/** `1.0` and `1.0.Final` are two versions of one place: only one of them, so that each place has one name. */
const given: fc.Arbitrary<Given> = hidings(version, (each) => each.replace(/\.Final$/, '')).chain((hiding) => {
  const released = hiding.versions.filter((each) => !each.endsWith('-SNAPSHOT'));
  return fc
    .tuple(fc.constantFrom(...hiding.versions), fc.constantFrom(...(released.length > 0 ? released : ['9.9'])))
    .map(([latest, release]) => ({ ...hiding, latest, release }));
});

const written = ({ versions, latest, release }: Given) => `<?xml version="1.0" encoding="UTF-8"?>
<metadata>
  <groupId>com.acme</groupId>
  <artifactId>widget</artifactId>
  <version>${latest}</version>
  <versioning>
    <latest>${latest}</latest>
    <release>${release}</release>
    <versions>
${versions.map((each) => `      <version>${each}</version>\n`).join('')}    </versions>
    <lastUpdated>20260102030405</lastUpdated>
  </versioning>
</metadata>
`;

const decode = (text: string, path = WIDGET): Metadata =>
  maven.index.decode(
    { bytes: Buffer.from(text), type: 'text/xml', url: `https://upstream.test/${path}` },
    indexAt(maven, path),
  );
const served = (doc: Metadata, path = WIDGET) =>
  Buffer.from(maven.index.encode(doc, indexAt(maven, path), site)?.bytes ?? '').toString();
const repaired = (doc: Metadata, hidden: ReadonlySet<string>) =>
  without(maven, doc, (release) => hidden.has(release.version));
const tag = (text: string, name: string) => new RegExp(`<${name}>(.*?)</${name}>`).exec(text)?.[1];
const listed = (text: string) => [...text.matchAll(/^ {6}<version>(.*)<\/version>$/gm)].map(([, each]) => each);

test('the versions that are visible keep their lines, and nothing names another', () => {
  fc.assert(
    fc.property(given, (one) => {
      const text = served(repaired(decode(written(one)), one.hidden));
      expect(listed(text)).toEqual(visibleOf(one));
      for (const hidden of one.hidden) expect(text).not.toContain(`>${hidden}<`);
      for (const { version: each } of maven.index.releases(decode(text))) expect(one.hidden).not.toContain(each);
    }),
  );
});

test('latest and release move to the version below, release to no snapshot', () => {
  fc.assert(
    fc.property(given, (one) => {
      const text = served(repaired(decode(written(one)), one.hidden));
      const visible = visibleOf(one);
      expectStandIn(one.latest, tag(text, 'latest'), visible, mavenOrder);
      const released = visible.filter((each) => !each.endsWith('-SNAPSHOT'));
      fc.pre(one.release !== '9.9' && released.length > 0);
      expectStandIn(one.release, tag(text, 'release'), released, mavenOrder);
    }),
  );
});

test('where nothing is hidden the document passes byte for byte', () => {
  fc.assert(
    fc.property(given, (one) => {
      const doc = decode(written(one));
      expect(repaired(doc, new Set())).toBe(doc);
      expect(served(doc)).toBe(written(one));
    }),
  );
});

test('a version that only latest or release names is hidden there too', () => {
  const doc = decode(written({ versions: ['1.0', '1.1'], hidden: new Set(), latest: '2.0', release: '2.0' }));
  const text = served(repaired(doc, new Set(['2.0'])));
  expect([tag(text, 'latest'), tag(text, 'release')]).toEqual(['1.1', '1.1']);
  expect(text).not.toContain('2.0');
});

test('release names no snapshot, and is gone where nothing else is left', () => {
  const without = (versions: readonly string[]) => {
    const doc = decode(written({ versions, hidden: new Set(), latest: '1.0', release: '1.0' }));
    return served(repaired(doc, new Set(['1.0'])));
  };
  const some = without(['0.8-rc1', '0.9-SNAPSHOT', '1.0']);
  expect([tag(some, 'latest'), tag(some, 'release')]).toEqual(['0.9-SNAPSHOT', '0.8-rc1']);
  const none = without(['0.9-SNAPSHOT', '1.0']);
  expect([tag(none, 'latest'), tag(none, 'release')]).toEqual(['0.9-SNAPSHOT', undefined]);
});

test('a release is followed by no later one of an older line, and by no release candidate', () => {
  const versions = ['1.0', '2.0', '1.9-rc1', '1.0.9'];
  const doc = decode(written({ versions, hidden: new Set(), latest: '2.0', release: '2.0' }));
  const text = served(repaired(doc, new Set(['2.0'])));
  expect([tag(text, 'latest'), tag(text, 'release')]).toEqual(['1.0.9', '1.0.9']);
});

describe('of a snapshot', () => {
  const build = (number: number) => ({
    stamp: `2026010${number}.030405`,
    value: `1.1-2026010${number}.030405-${number}`,
  });
  const file = (number: number, extension: string) =>
    `      <snapshotVersion>\n        <extension>${extension}</extension>\n        <value>${build(number).value}</value>\n        <updated>${build(number).stamp.replace('.', '')}</updated>\n      </snapshotVersion>\n`;
  const text = `<metadata modelVersion="1.1.0">
  <groupId>com.acme</groupId>
  <artifactId>widget</artifactId>
  <version>1.1-SNAPSHOT</version>
  <versioning>
    <snapshot>
      <timestamp>${build(4).stamp}</timestamp>
      <buildNumber>4</buildNumber>
    </snapshot>
    <lastUpdated>20260104030405</lastUpdated>
    <snapshotVersions>
${file(4, 'jar')}${file(4, 'pom')}${file(3, 'zip')}${file(2, 'tar')}    </snapshotVersions>
  </versioning>
</metadata>
`;
  const hiding = (...gone: readonly number[]) =>
    served(
      maven.index.keep(decode(text, SNAPSHOT), (path) =>
        gone.some((number) => path.includes(build(number).value))
          ? { rule: 'cooldown/week', reason: 'too young' }
          : undefined,
      ),
      SNAPSHOT,
    );

  test.each([
    [[], '4'],
    [[2], '4'],
    [[4], '3'],
    [[3, 4], '2'],
  ])('without builds %j the newest is build %s', (gone, number) => {
    const left = hiding(...gone);
    expect([tag(left, 'timestamp'), tag(left, 'buildNumber')]).toEqual([build(Number(number)).stamp, number]);
    expect(tag(left, 'lastUpdated')).toBe(build(Number(number)).stamp.replace('.', ''));
    for (const each of gone) expect(left).not.toContain(build(each).value);
    expect(tag(left, 'version')).toBe('1.1-SNAPSHOT');
  });

  test('nothing is left of what is hidden whole', () => {
    expect(hiding(2, 3, 4)).not.toMatch(/<(?:snapshot|timestamp|buildNumber|snapshotVersion)>/);
  });
});
