import { describe, expect, test } from 'vitest';
import type { IndexTarget } from '../../engine/format.ts';
import { documentOf, fixturesOf, indexAt, site } from '../fixtures.ts';
import { maven } from './index.ts';
import type { Metadata } from './metadata.ts';

const withheld = { rule: 'blocklist', reason: 'blocked' };

function fixture(file: string): { readonly doc: Metadata; readonly target: IndexTarget; readonly text: string } {
  const found = fixturesOf(maven).find((one) => one.file === file);
  if (!found) throw new Error(`no fixture ${file}`);
  const raw = documentOf(maven, found);
  const target = indexAt(maven, found.request);
  return { doc: maven.index.decode(raw, target), target, text: Buffer.from(raw.bytes).toString() };
}

const targetOf = (path: string): IndexTarget => indexAt(maven, path);
const decode = (text: string, path = 'com/acme/gadget/maven-metadata.xml') =>
  maven.index.decode(
    { bytes: Buffer.from(text), type: 'text/xml', url: `https://upstream.test/${path}` },
    targetOf(path),
  );
const served = (doc: Metadata, path = 'com/acme/gadget/maven-metadata.xml') =>
  Buffer.from(maven.index.encode(doc, targetOf(path), site)?.bytes ?? '').toString();
const versions = (doc: Metadata) => [...maven.index.releases(doc)].map(({ version }) => version);
const without = (doc: Metadata, ...gone: string[]) =>
  maven.index.keep(doc, (path) => (gone.some((version) => path.includes(`/${version}/`)) ? withheld : undefined));
const tag = (text: string, name: string) => new RegExp(`<${name}>(.*?)</${name}>`).exec(text)?.[1];

const versioned = (list: readonly string[], more = '') =>
  `<metadata>\n  <versioning>${more}\n    <versions>\n${list.map((version) => `      <version>${version}</version>\n`).join('')}    </versions>\n  </versioning>\n</metadata>\n`;

describe('the versions of an artifact', () => {
  test('each stand for a pom', () => {
    const { doc } = fixture('slf4j-api.xml');
    const last = [...maven.index.releases(doc)].at(-1);
    expect(last).toEqual({
      name: 'org.slf4j/slf4j-api',
      version: '2.1.0-alpha1',
      files: [{ path: 'org/slf4j/slf4j-api/2.1.0-alpha1/slf4j-api-2.1.0-alpha1.pom', role: 'metadata' }],
    });
  });

  test('are those that can be folders, each once', () => {
    expect(versions(fixture('gadget.xml').doc)).toEqual(['1.0-rc1', '1.0', '1.0.1', '1.1-SNAPSHOT']);
  });

  test('are passed on to the byte while nothing is hidden', () => {
    const { doc, text } = fixture('gadget.xml');
    expect(served(without(doc, '9.9'))).toBe(text);
  });

  test('lose a line for each that is hidden, and nothing else', () => {
    const { doc, text } = fixture('slf4j-api.xml');
    const kept = served(without(doc, '1.7.36', '2.0.16'));
    const gone = /\n *<version>(?:1\.7\.36|2\.0\.16)<\/version>/g;
    expect(text.match(gone)).toHaveLength(2);
    expect(kept).toBe(text.replace(gone, ''));
  });

  test('lose the release and latest that is hidden', () => {
    const { doc } = fixture('slf4j-api.xml');
    const kept = served(without(doc, '2.1.0-alpha1'));
    expect([tag(kept, 'release'), tag(kept, 'latest')]).toEqual(['2.0.20', '2.0.20']);
    expect(tag(kept, 'lastUpdated')).toBe('20261019215429');
  });

  test('have no prerelease as the release in place of a release', () => {
    const { doc } = fixture('gadget.xml');
    const kept = served(without(doc, '1.0.1', '1.1-SNAPSHOT'));
    expect([tag(kept, 'release'), tag(kept, 'latest')]).toEqual(['1.0', '1.0']);
    const rest = served(without(doc, '1.0.1', '1.0', '1.1-SNAPSHOT'));
    expect([tag(rest, 'release'), tag(rest, 'latest')]).toEqual(['1.0-rc1', '1.0-rc1']);
  });

  test('leave no trace when all are hidden', () => {
    const kept = served(maven.index.keep(fixture('slf4j-api.xml').doc, () => withheld));
    expect(kept).not.toContain('<version>');
    expect(kept).not.toMatch(/<(?:latest|release)>/);
  });

  test('keep comments, tabs and the name space of what stays', () => {
    const kept = served(without(fixture('gadget.xml').doc, '1.0.1'));
    expect(kept).toContain('<!-- made by hand: "latest" is a snapshot,');
    expect(kept).toContain('\n\t\t\t<version>1.1-SNAPSHOT</version>');
    expect(kept).toContain('xmlns="http://maven.apache.org/METADATA/1.1.0"');
    expect(versions(decode(kept, 'com/acme/gadget_2.13/maven-metadata.xml'))).toEqual([
      '1.0-rc1',
      '1.0',
      '1.1-SNAPSHOT',
    ]);
  });
});

describe('the files of a snapshot', () => {
  const path = 'com/acme/widget/1.1-SNAPSHOT/maven-metadata.xml';

  test('are named whole, with the time of their deployment', () => {
    const [release] = maven.index.releases(fixture('widget-snapshot.xml').doc);
    const published = { at: Date.UTC(2026, 10, 21, 14, 48, 8), by: 'author' };
    const stem = 'com/acme/widget/1.1-SNAPSHOT/widget-1.1-20261121.144808-1';
    expect(release).toEqual({
      name: 'com.acme/widget',
      version: '1.1-SNAPSHOT',
      files: [
        { path: `${stem}.jar`, role: 'package', published },
        { path: `${stem}.pom`, role: 'metadata', published },
        { path: `${stem}-sources.jar`, role: 'package', published },
      ],
    });
  });

  test('are a pom where an old client deployed it', () => {
    const [release] = maven.index.releases(fixture('old-snapshot.xml').doc);
    expect(release?.files).toMatchObject([
      { path: 'com/acme/old/2-SNAPSHOT/old-2-20091113.083000-4.pom', published: { at: Date.UTC(2009, 10, 13, 8, 30) } },
    ]);
  });

  test('go one by one, and the build with the last of them', () => {
    const { doc } = fixture('widget-snapshot.xml');
    const sourceless = served(
      maven.index.keep(doc, (file) => (file.includes('-sources') ? withheld : undefined)),
      path,
    );
    expect(sourceless).not.toContain('<classifier>');
    expect(sourceless).toContain('<buildNumber>1</buildNumber>');
    const none = served(
      maven.index.keep(doc, () => withheld),
      path,
    );
    expect(none).not.toMatch(/20261121\.144808/);
  });

  test('are of the newest build of several repositories, whole', () => {
    const { doc, text } = fixture('widget-snapshot.xml');
    const newer = decode(text.replaceAll('144808', '150000'), path);
    expect(maven.index.merge([doc, newer])).toBe(newer);
    expect(maven.index.merge([newer, doc])).toBe(newer);
  });

  test.each(['../../x', '1.0-20261121.144808-1', 'a b'])('are none of another version: %s', (value) => {
    const doc = decode(fixture('widget-snapshot.xml').text.replaceAll('1.1-20261121.144808-1', value), path);
    const files = [...maven.index.releases(doc)].flatMap((release) => release.files);
    expect(files.map((file) => file.path)).toEqual(['com/acme/widget/1.1-SNAPSHOT/widget-1.1-20261121.144808-1.pom']);
  });
});

describe('of several repositories', () => {
  const public_ = decode(
    versioned(
      ['1.0', '1.9', '1.10'],
      '\n    <latest>1.10</latest>\n    <release>1.10</release>\n    <lastUpdated>20250101000000</lastUpdated>',
    ),
  );
  const own = decode(
    versioned(
      ['1.9', '1.9.1-acme', '2.0-SNAPSHOT'],
      '\n    <latest>2.0-SNAPSHOT</latest>\n    <release>1.9.1-acme</release>\n    <lastUpdated>20260101000000</lastUpdated>',
    ),
  );

  test('all versions are listed once, in the order of Maven, one on a line', () => {
    const text = served(maven.index.merge([own, public_]));
    expect(text.match(/^ {6}<version>.*<\/version>$/gm)?.map((line) => tag(line, 'version'))).toEqual([
      '1.0',
      '1.9',
      '1.9.1-acme',
      '1.10',
      '2.0-SNAPSHOT',
    ]);
    expect(versions(maven.index.merge([public_, own]))).toEqual(versions(maven.index.merge([own, public_])));
  });

  test('release, latest and lastUpdated are the highest', () => {
    for (const docs of [
      [own, public_],
      [public_, own],
    ]) {
      const text = served(maven.index.merge(docs));
      expect([tag(text, 'latest'), tag(text, 'release'), tag(text, 'lastUpdated')]).toEqual([
        '2.0-SNAPSHOT',
        '1.10',
        '20260101000000',
      ]);
    }
  });

  test('the plugins of a group are those of all, a prefix being the first one’s', () => {
    const plugins = (...pairs: [string, string][]) =>
      `<metadata><plugins>${pairs.map(([prefix, id]) => `<plugin><prefix>${prefix}</prefix><artifactId>${id}</artifactId></plugin>`).join('')}</plugins></metadata>`;
    const docs = [plugins(['a', 'mine'], ['b', 'b']), plugins(['a', 'theirs'], ['c', 'c'])].map((text) => decode(text));
    const text = served(maven.index.merge(docs));
    expect([...text.matchAll(/<artifactId>(\w+)/g)].map(([, id]) => id)).toEqual(['mine', 'b', 'c']);
  });

  test('a list of plugins may also get versions', () => {
    const merged = maven.index.merge([fixture('plugins.xml').doc, own]);
    expect(versions(merged)).toEqual(['1.9', '1.9.1-acme', '2.0-SNAPSHOT']);
  });
});
