import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nearest } from '../../policy/nearest.ts';
import { indexAt, site } from '../fixtures.ts';
import type { Json } from '../json.ts';
import { expectStandIn, type Hiding, hidings, visibleOf, without } from '../repairs.contract.ts';
import type { Document } from './documents.ts';
import { pypi } from './index.ts';
import { pep440Order } from './version-order.ts';

const PAGE = 'simple/widget/';
const OLDER = 'pypi/widget/json';
const SHA256 = 'ab'.repeat(32);

const version = fc
  .tuple(
    fc.integer({ min: 0, max: 3 }),
    fc.integer({ min: 0, max: 12 }),
    fc.constantFrom('', '', '', 'rc1', 'rc10', 'a1', '.dev1', '.post1'),
  )
  .map(([major, minor, rest]) => `${major}.${minor}${rest}`);

interface Given extends Hiding {
  readonly yanked: ReadonlySet<string>;
  readonly described: string;
}

const given: fc.Arbitrary<Given> = hidings(version, pep440Order.canonical).chain((hiding) =>
  fc
    .tuple(fc.subarray([...hiding.versions]), fc.constantFrom(...hiding.versions))
    .map(([yanked, described]) => ({ ...hiding, yanked: new Set(yanked), described })),
);

const namesOf = (each: string) => [`widget-${each}.tar.gz`, `widget-${each}-py3-none-any.whl`];

const page = ({ versions, yanked }: Given): Json => ({
  meta: { 'api-version': '1.4' },
  name: 'widget',
  versions,
  files: versions.flatMap((each) =>
    namesOf(each).map((filename) => ({
      filename,
      url: `https://upstream.test/files/${filename}`,
      hashes: { sha256: SHA256 },
      size: 1,
      'upload-time': '2026-01-01T00:00:00Z',
      'core-metadata': filename.endsWith('.whl') ? { sha256: SHA256 } : false,
      'gpg-sig': filename.endsWith('.gz'),
      yanked: yanked.has(each) ? `no ${each}` : false,
    })),
  ),
});

const older = ({ versions, yanked, described }: Given): Json => {
  const filesOf = (each: string) =>
    namesOf(each).map((filename) => ({
      filename,
      url: `https://upstream.test/files/${filename}`,
      digests: { sha256: SHA256 },
      size: 1,
      requires_python: `>=${each}`,
      upload_time_iso_8601: '2026-01-01T00:00:00Z',
      yanked: yanked.has(each),
      yanked_reason: yanked.has(each) ? `no ${each}` : null,
    }));
  return {
    info: {
      name: 'widget',
      author: 'Ada',
      version: described,
      release_url: `https://upstream.test/project/widget/${described}/`,
      description: `the text of ${described}`,
      requires_dist: [`gadget>=${described}`],
      requires_python: `>=${described}`,
      yanked: yanked.has(described),
      yanked_reason: yanked.has(described) ? `no ${described}` : null,
    },
    releases: Object.fromEntries(versions.map((each) => [each, filesOf(each)])),
    urls: filesOf(described),
    vulnerabilities: [{ id: `the weakness of ${described}` }],
  };
};

const decode = (json: Json, path: string): Document =>
  pypi.index.decode(
    { bytes: Buffer.from(JSON.stringify(json)), type: 'application/json', url: `https://upstream.test/${path}` },
    indexAt(pypi, path),
  );
const body = (doc: Document, view: string) =>
  pypi.index.encode(doc, { ...indexAt(pypi, view === 'legacy' ? OLDER : PAGE), view }, site);
const text = (doc: Document, view: string) => String(body(doc, view)?.bytes);
const json = (doc: Document, view: string) => JSON.parse(text(doc, view));
const filesIn = (doc: Document) =>
  [...pypi.index.releases(doc)].flatMap((release) => release.files.map(({ path, yanked }) => ({ path, yanked })));
const repaired = (doc: Document, hidden: ReadonlySet<string>) =>
  without(pypi, doc, (release) => hidden.has(release.version));

test.each(['json', 'html', 'v1+html'])('a page as %s lists the files of what is visible, and no other', (view) => {
  fc.assert(
    fc.property(given, (one) => {
      const { bytes, type } = body(repaired(decode(page(one), PAGE), one.hidden), view) ?? { bytes: '', type: '' };
      const raw = { bytes: Buffer.from(bytes), type, url: `${site.base}/${PAGE}` };
      const again = pypi.index.decode(raw, indexAt(pypi, PAGE));
      expect(filesIn(again)).toEqual(filesIn(decode(page({ ...one, versions: visibleOf(one) }), PAGE)));
      for (const name of [...one.hidden].flatMap(namesOf)) expect(String(bytes)).not.toContain(name);
    }),
  );
});

test('the page’s versions are those of its files, and why they were yanked stays', () => {
  fc.assert(
    fc.property(given, (one) => {
      const { versions, files } = json(repaired(decode(page(one), PAGE), one.hidden), 'json');
      expect(versions).toEqual(visibleOf(one));
      const reasons = visibleOf(one).flatMap((each) => {
        const reason = one.yanked.has(each) ? `no ${each}` : false;
        return [reason, reason];
      });
      expect(files.map((file: Json) => file['yanked'])).toEqual(reasons);
    }),
  );
});

test('the older JSON describes a version that is visible, not one that was yanked if there is another', () => {
  fc.assert(
    fc.property(given, (one) => {
      const { info, releases, urls } = json(repaired(decode(older(one), OLDER), one.hidden), 'legacy');
      const visible = visibleOf(one);
      const offered = visible.filter((each) => !one.yanked.has(each));
      const pool = offered.length > 0 && one.hidden.has(one.described) ? offered : visible;
      expectStandIn(one.described, info.version, pool, pep440Order);
      expect(Object.keys(releases)).toEqual(visible);
      expect(urls).toEqual(releases[info.version]);
      expect(info).toMatchObject({
        author: 'Ada',
        requires_python: `>=${info.version}`,
        release_url: `https://upstream.test/project/widget/${info.version}/`,
        yanked: one.yanked.has(info.version),
        yanked_reason: one.yanked.has(info.version) ? `no ${info.version}` : null,
      });
    }),
  );
});

test('the older JSON says nothing of the version that it described, once that is hidden', () => {
  fc.assert(
    fc.property(given, (one) => {
      const source = older(one);
      const { info, vulnerabilities } = json(repaired(decode(source, OLDER), one.hidden), 'legacy');
      const { description, requires_dist } = source['info'] as Json;
      expect([info.description, info.requires_dist, vulnerabilities]).toEqual(
        one.hidden.has(one.described) ? ['', null, undefined] : [description, requires_dist, source['vulnerabilities']],
      );
    }),
  );
});

test('a file goes alone, with what stands beside it', () => {
  fc.assert(
    fc.property(given, (one) => {
      const source = decode(page(one), PAGE);
      const kept = pypi.index.keep(source, (path) =>
        path.endsWith('.whl') && [...one.hidden].some((each) => path.endsWith(`/${namesOf(each)[1]}`))
          ? { rule: 'cooldown/week', reason: 'too young' }
          : undefined,
      );
      const left = filesIn(kept).map(({ path }) => path);
      const gone = [...one.hidden].flatMap((each) => [
        `packages/widget/${namesOf(each)[1]}`,
        `packages/widget/${namesOf(each)[1]}.metadata`,
      ]);
      const all = filesIn(source).map(({ path }) => path);
      expect(left).toEqual(all.filter((path) => !gone.includes(path)));
      expect(json(kept, 'json').versions).toEqual(one.versions);
    }),
  );
});

test('where nothing is hidden nothing changes', () => {
  fc.assert(
    fc.property(given, (one) => {
      for (const doc of [decode(page(one), PAGE), decode(older(one), OLDER)])
        expect(repaired(doc, new Set())).toBe(doc);
    }),
  );
});

test('what was yanked is never the version to use instead', () => {
  fc.assert(
    fc.property(given, (one) => {
      const releases = [...pypi.index.releases(decode(page(one), PAGE))];
      const judged = releases.map((release) => ({
        version: release.version,
        decision: { allowed: true } as const,
        ...(release.yanked && { yanked: true }),
      }));
      const instead = nearest(one.described, judged, pypi.versions);
      expect(one.yanked.has(instead ?? '')).toBe(false);
    }),
  );
});

describe('the older JSON', () => {
  const hiding = { versions: ['1.0', '1.1', '1.2.0'], hidden: new Set<string>(), yanked: new Set(['1.1']) };

  test('passes over what was yanked, and spells a version as its list does', () => {
    const source = older({ ...hiding, described: '1.2.0' });
    const releases = Object.entries(source['releases'] as Json).map(([each, files]) => [
      each === '1.0' ? '1.0-0' : each,
      files,
    ]);
    const doc = decode({ ...source, releases: Object.fromEntries(releases) }, OLDER);
    expect(json(repaired(doc, new Set(['1.2.0'])), 'legacy').info.version).toBe('1.0');
    expect(json(repaired(doc, new Set(['1.2.0', '1.0'])), 'legacy').info).toMatchObject({
      version: '1.1',
      yanked: true,
    });
  });

  test('that describes a version without files goes on to', () => {
    const source = older({ ...hiding, described: '1.2.0' });
    const doc = decode({ ...source, info: { name: 'widget', version: '9.9' } }, OLDER);
    expect(json(repaired(doc, new Set(['1.2.0'])), 'legacy').info).toEqual({ name: 'widget', version: '9.9' });
  });
});
