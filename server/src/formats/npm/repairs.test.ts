import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { indexAt, site } from '../fixtures.ts';
import type { Json } from '../json.ts';
import { expectStandIn, type Hiding, hidings, semantic, visibleOf, without } from '../repairs.contract.ts';
import { semverOrder } from '../semver-order.ts';
import { npm } from './index.ts';
import type { Packument } from './packument.ts';

const DAY = 86_400_000;
const VIEWS = ['full', 'abbreviated', 'tags', 'version:latest', 'version:next', 'version:old'];
const at = (day: number) => new Date(Date.UTC(2026, 0, 1) + day * DAY).toISOString();

interface Given extends Hiding {
  /** Places of the versions that the tags name. */
  readonly tags: Readonly<Record<string, number>>;
}

const given: fc.Arbitrary<Given> = hidings(semantic, semverOrder.canonical).chain((hiding) => {
  const place = fc.nat({ max: hiding.versions.length - 1 });
  return fc.record({ latest: place, next: place, old: place }).map((tags) => ({ ...hiding, tags }));
});

const published = ({ versions, tags }: Given): Json => ({
  name: 'widget',
  description: `the text of ${versions[tags['latest'] ?? 0]}`,
  readme: `the readme of ${versions[tags['latest'] ?? 0]}`,
  'dist-tags': Object.fromEntries(Object.entries(tags).map(([tag, place]) => [tag, versions[place]])),
  versions: Object.fromEntries(
    versions.map((version) => [
      version,
      {
        name: 'widget',
        version,
        description: `the text of ${version}`,
        deprecated: `the end of ${version}`,
        dist: { tarball: `https://upstream.test/widget/-/widget-${version}.tgz`, shasum: 'ab'.repeat(20) },
      },
    ]),
  ),
  time: {
    created: at(0),
    modified: at(versions.length),
    ...Object.fromEntries(versions.map((version, day) => [version, at(day + 1)])),
  },
});

const decode = (packument: Json): Packument =>
  npm.index.decode(
    {
      bytes: Buffer.from(JSON.stringify(packument)),
      type: 'application/json',
      url: 'https://upstream.test/widget',
    },
    indexAt(npm, 'widget'),
  );
const text = (doc: Packument, view: string) =>
  npm.index.encode(doc, { ...indexAt(npm, 'widget'), view }, site)?.bytes as string | undefined;
const json = (doc: Packument, view: string) => JSON.parse(text(doc, view) ?? 'null');
const repaired = (doc: Packument, hidden: ReadonlySet<string>) =>
  without(npm, doc, ({ version }) => hidden.has(version));

test('every view lists what is visible, and nothing else', () => {
  fc.assert(
    fc.property(given, (one) => {
      const doc = repaired(decode(published(one)), one.hidden);
      const visible = visibleOf(one);
      for (const view of ['full', 'abbreviated']) expect(Object.keys(json(doc, view).versions)).toEqual(visible);
      for (const version of one.versions)
        expect(json(doc, `version:${version}`)?.version).toBe(one.hidden.has(version) ? undefined : version);
      expect(Object.keys(json(doc, 'full').time).sort()).toEqual(['created', 'modified', ...visible].sort());
      expect([...decode(json(doc, 'full')).versions.keys()]).toEqual(visible);
    }),
  );
});

test('latest moves to the version below, other tags go with the version that they name', () => {
  fc.assert(
    fc.property(given, (one) => {
      const visible = visibleOf(one);
      const before = decode(published(one)).tags;
      const doc = repaired(decode(published(one)), one.hidden);
      const { latest, ...others } = json(doc, 'tags');
      expectStandIn(before['latest'] as string, latest, visible, semverOrder);
      expect(others).toEqual(
        Object.fromEntries(
          Object.entries(before).filter(([tag, version]) => tag !== 'latest' && visible.includes(version)),
        ),
      );
      for (const view of ['full', 'abbreviated']) expect(json(doc, view)['dist-tags']).toEqual(json(doc, 'tags'));
      expect(json(doc, 'version:latest').version).toBe(latest);
    }),
  );
});

test.each(VIEWS)('%s says nothing of what is hidden: not its text, nor its time', (view) => {
  fc.assert(
    fc.property(given, (one) => {
      const said = text(repaired(decode(published(one)), one.hidden), view) ?? '';
      const marks = [...one.hidden].flatMap((version) => [
        `of ${version}"`,
        `widget-${version}.tgz`,
        at(one.versions.indexOf(version) + 1),
      ]);
      expect(marks.filter((mark) => said.includes(mark))).toEqual([]);
    }),
  );
});

test('the package was modified when the newest version that is visible came', () => {
  fc.assert(
    fc.property(given, (one) => {
      const doc = repaired(decode(published(one)), one.hidden);
      const newest = one.versions.findLastIndex((version) => !one.hidden.has(version));
      for (const view of [json(doc, 'full').time, json(doc, 'abbreviated')]) expect(view.modified).toBe(at(newest + 1));
    }),
  );
});

test('where nothing is hidden nothing changes', () => {
  fc.assert(
    fc.property(given, (one) => {
      const doc = decode(published(one));
      expect(repaired(doc, new Set())).toBe(doc);
    }),
  );
});

describe('a packument', () => {
  const versions = ['4.18.1', '4.18.2', '3.9.9', '5.0.0-beta.1', '5.0.0'];
  const doc = decode(published({ versions, hidden: new Set(), tags: { latest: 1, next: 4 } }));

  test('without the version that is latest has no later release of an older line as latest, and no newer line', () => {
    expect(json(repaired(doc, new Set(['4.18.2'])), 'tags')).toEqual({ latest: '4.18.1', next: '5.0.0' });
  });

  test('describes the package as the version that is latest now does', () => {
    const full = json(repaired(doc, new Set(['4.18.2'])), 'full');
    expect([full.description, full.readme]).toEqual(['the text of 4.18.1', undefined]);
    const other = json(repaired(doc, new Set(['3.9.9'])), 'full');
    expect([other.description, other.readme]).toEqual(['the text of 4.18.2', 'the readme of 4.18.2']);
  });

  test('keeps what is said of deprecated versions', () => {
    for (const view of ['full', 'abbreviated'])
      expect(json(repaired(doc, new Set(['4.18.2'])), view).versions['3.9.9'].deprecated).toBe('the end of 3.9.9');
  });

  test('of which no time is known that is left says none', () => {
    const source = published({ versions: ['1.0.0', '2.0.0'], hidden: new Set(), tags: { latest: 1 } });
    const timed = decode({ ...source, time: { modified: at(9), '2.0.0': at(9) } });
    expect(json(repaired(timed, new Set(['2.0.0'])), 'full').time).toEqual({});
    expect(json(repaired(timed, new Set(['2.0.0'])), 'abbreviated').modified).toBeUndefined();
  });

  test('whose manifests say that they are of another version, or another package, is made to agree with itself', () => {
    const source = published({ versions: ['1.0.0', '2.0.0'], hidden: new Set(), tags: { latest: 1 } });
    const [one, two] = Object.values(source['versions'] as Json) as [Json, Json];
    const confused = decode({
      ...source,
      versions: { '1.0.0': { ...one, version: '9.9.9', _id: 'widget@9.9.9' }, '2.0.0': { ...two, name: 'other' } },
    });
    for (const view of ['full', 'abbreviated'])
      expect(json(confused, view).versions).toMatchObject({
        '1.0.0': { name: 'widget', version: '1.0.0' },
        '2.0.0': { name: 'widget', version: '2.0.0' },
      });
    expect(text(confused, 'full')).not.toContain('9.9.9');
  });

  test('keeps a spelling of a version that means the same', () => {
    const source = published({ versions: ['1.0.0'], hidden: new Set(), tags: { latest: 0 } });
    const [only] = Object.values(source['versions'] as Json) as [Json];
    const spelled = decode({ ...source, versions: { '1.0.0': { ...only, version: 'v1.0.0' } } });
    expect(json(spelled, 'full').versions['1.0.0'].version).toBe('v1.0.0');
  });
});
