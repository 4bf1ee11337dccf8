import { expect, test } from 'vitest';
import type { Harness } from './contract-harness.ts';
import { digestOf, objectRow, pullRow } from './samples.ts';

export function objectContract(harness: () => Harness): void {
  test('an object comes back with every field, and without those it lacks', async () => {
    const { ledger } = harness();
    const full = objectRow({
      expected: `sha512:${'a'.repeat(128)}`,
      etag: 'W/"x"',
      lastModified: 'Mon, 02 Jan 2006 15:04:05 GMT',
      publishedAt: 1,
      publishedBy: 'server',
      freshUntil: 9_000_000_000_000,
      link: '</v2/x/tags/list?last=b>; rel="next"',
      retractedAt: 5,
      disputed: digestOf('other'),
    });
    await ledger.recordObject(full);
    expect(await ledger.object('npm-public', full.path)).toEqual(full);
    const { name: _, version: __, purl: ___, ...bare } = objectRow({ kind: 'index', role: 'index', path: 'all' });
    await ledger.recordObject(bare);
    expect(await ledger.object('npm-public', 'all')).toEqual(bare);
    expect(await ledger.object('npm-public', 'none')).toBeUndefined();
    expect(await ledger.object('other', full.path)).toBeUndefined();
  });

  test('an object recorded again is the new one, whole', async () => {
    const { ledger } = harness();
    const { etag: _, ...second } = objectRow({ digest: digestOf('second'), size: 5 });
    await ledger.recordObject(objectRow({ etag: '"first"', publishedAt: 1 }));
    await ledger.recordObject(second);
    expect(await ledger.object('npm-public', second.path)).toEqual(second);
  });

  test('a revalidation changes freshness and nothing else', async () => {
    const { ledger } = harness();
    const row = objectRow({ etag: '"kept"' });
    await ledger.recordObject(row);
    const freshness = { checkedAt: 2000, freshUntil: 3000, lastModified: 'Tue, 03 Jan 2006 15:04:05 GMT' };
    await ledger.refreshObject('npm-public', row.path, freshness);
    expect(await ledger.object('npm-public', row.path)).toEqual({ ...row, ...freshness });
  });

  test('a mark is set and cleared, and goes when the object is recorded anew', async () => {
    const { ledger } = harness();
    const row = objectRow({});
    const marked = () => ledger.object('npm-public', row.path);
    await ledger.recordObject(row);
    await ledger.markObject('npm-public', row.path, { retractedAt: 7 });
    await ledger.markObject('npm-public', row.path, { disputed: digestOf('other') });
    expect(await marked()).toEqual({ ...row, retractedAt: 7, disputed: digestOf('other') });
    await ledger.markObject('npm-public', row.path, { retractedAt: undefined });
    expect(await marked()).toEqual({ ...row, disputed: digestOf('other') });
    await ledger.recordObject(row);
    expect(await marked()).toEqual(row);
  });

  test('objects are listed by path, page after page, in the order of their bytes', async () => {
    const { ledger } = harness();
    const paths = ['Z', 'a', 'a-b', 'a/b', 'b_%', 'b_x', 'é', '一'];
    for (const path of [...paths].reverse()) await ledger.recordObject(objectRow({ path }));
    await ledger.recordObject(objectRow({ repository: 'other', path: 'a' }));
    const seen: string[] = [];
    for (let after: string | undefined; ; after = seen.at(-1)) {
      const page = await ledger.objects({ repository: 'npm-public' }, { limit: 3, ...(after ? { after } : {}) });
      seen.push(...page.map(({ path }) => path));
      if (page.length < 3) break;
    }
    expect(seen).toEqual(paths);
  });

  test('objects are found by path, prefix, release and package', async () => {
    const { ledger } = harness();
    for (const [name, version] of [
      ['express', '4.18.2'],
      ['express', '5.0.0'],
      ['express-x', '4.18.2'],
    ] as const) {
      await ledger.recordObject(objectRow({ name, version }));
    }
    await ledger.recordObject(
      objectRow({ name: 'x', version: '1', purl: 'pkg:npm/%40acme/x@1', path: '@acme/x/-/x-1.tgz' }),
    );
    const paths = async (filter: object): Promise<string[]> =>
      (await ledger.objects({ repository: 'npm-public', ...filter }, { limit: 10 })).map(({ path }) => path);
    expect(await paths({ purl: 'pkg:npm/express@4.18.2' })).toEqual(['express/-/express-4.18.2.tgz']);
    expect(await paths({ purl: 'pkg:npm/express' })).toEqual([
      'express/-/express-4.18.2.tgz',
      'express/-/express-5.0.0.tgz',
    ]);
    expect(await paths({ purl: 'pkg:npm/%40acme/x' })).toEqual(['@acme/x/-/x-1.tgz']);
    expect(await paths({ prefix: 'express/' })).toHaveLength(2);
    expect(await paths({ prefix: 'express%' })).toEqual([]);
    expect(await paths({ path: 'express/-/express-5.0.0.tgz' })).toEqual(['express/-/express-5.0.0.tgz']);
    expect(await paths({ path: 'express' })).toEqual([]);
  });

  test('an object says how often and when it was served last, whichever was recorded first', async () => {
    const { ledger } = harness();
    const row = objectRow();
    await ledger.loadPulls([pullRow(1), pullRow(2, { decision: 'refused' })], { segment: 's', offset: 1 });
    await ledger.recordObject(row);
    await ledger.recordObject(objectRow({ version: '5.0.0' }));
    const direct = pullRow(4, { repository: 'npm-public' });
    const { member: _, ...own } = direct;
    await ledger.loadPulls([own, pullRow(3)], { segment: 's', offset: 2 });
    await ledger.loadPulls([own, pullRow(3)], { segment: 's', offset: 2 });
    expect(await ledger.objects({ repository: 'npm-public' }, { limit: 10 })).toEqual([
      { ...row, pulls: 3, lastPulledAt: 1_000_004 },
      { ...objectRow({ version: '5.0.0' }), pulls: 0 },
    ]);
  });

  test('the log will commit to every digest an artifact had, once', async () => {
    const { ledger, rows } = harness();
    const [first, second] = [objectRow(), objectRow({ digest: digestOf('other bytes') })];
    for (const object of [first, first, second, first]) await ledger.recordObject(object);
    await ledger.buried((await ledger.evict({ repository: 'npm-public', all: true })).blobs);
    await ledger.recordObject(first);
    await ledger.recordObject(objectRow({ kind: 'index', path: 'express' }));
    const pending = await rows<{ kind: string; leaf: string }>('SELECT kind, leaf FROM log_pending ORDER BY id');
    expect(pending.map(({ kind, leaf }) => [kind, JSON.parse(leaf).digest, JSON.parse(leaf).previous])).toEqual([
      ['upstream.observed', first.digest, undefined],
      ['upstream.mutated', second.digest, first.digest],
      ['upstream.mutated', first.digest, second.digest],
    ]);
  });

  test('the same path recorded at the same time by many is one object', async () => {
    const { ledger, again } = harness();
    const other = await again();
    await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        (n % 2 ? ledger : other).recordObject(objectRow({ digest: digestOf(String(n % 3)), size: n % 3 })),
      ),
    );
    await other.close();
    expect(await ledger.objects({ repository: 'npm-public' }, { limit: 10 })).toHaveLength(1);
    expect(await ledger.stats()).toMatchObject({ objects: 1, blobs: 3, packages: 1, releases: 1 });
  });
}

export function evictionContract(harness: () => Harness): void {
  const evicted = async (filter: object) => {
    const { ledger } = harness();
    const gone = await ledger.evict({ repository: 'npm-public', ...filter });
    await ledger.buried(gone.blobs);
    return gone;
  };

  test('evicting a release names its paths and the blobs nothing means any more', async () => {
    const { ledger } = harness();
    const [one, two] = [objectRow(), objectRow({ version: '5.0.0', size: 7 })];
    await ledger.recordObject(one);
    await ledger.recordObject(two);
    expect(await evicted({ purl: 'pkg:npm/express@5.0.0' })).toEqual({
      objects: 1,
      bytes: 7,
      paths: [two.path],
      blobs: [two.digest],
    });
    expect(await ledger.object('npm-public', two.path)).toBeUndefined();
    expect(await ledger.object('npm-public', one.path)).toEqual(one);
    expect(await evicted({ purl: 'pkg:npm/express@5.0.0' })).toEqual({ objects: 0, bytes: 0, paths: [], blobs: [] });
    expect(await ledger.stats()).toMatchObject({ objects: 1, blobs: 1, bytes: 1000, releases: 2 });
  });

  test('a blob another repository or path means stays', async () => {
    const { ledger } = harness();
    const row = objectRow();
    await ledger.recordObject(row);
    await ledger.recordObject({ ...row, path: 'copy' });
    await ledger.recordObject({ ...row, repository: 'npm-mirror' });
    expect(await evicted({ path: row.path })).toMatchObject({ objects: 1, blobs: [] });
    expect(await evicted({ all: true })).toMatchObject({ objects: 1, paths: ['copy'], blobs: [] });
    expect(await ledger.evict({ repository: 'npm-mirror', prefix: 'express/' })).toMatchObject({ blobs: [row.digest] });
  });

  test('the blob of a replaced document goes with the next eviction, unless it is meant again', async () => {
    const { ledger } = harness();
    const versions = ['1', '2', '3', '2'].map((text) =>
      objectRow({ kind: 'index', path: 'i', digest: digestOf(text) }),
    );
    for (const version of versions) await ledger.recordObject(version);
    expect(await evicted({ path: 'no such path' })).toEqual({
      objects: 0,
      bytes: 0,
      paths: [],
      blobs: [digestOf('1'), digestOf('3')].sort(),
    });
    expect(await evicted({ path: 'i' })).toMatchObject({ objects: 1, blobs: [digestOf('2')] });
  });

  test('everything goes only when everything is asked for', async () => {
    const { ledger } = harness();
    await ledger.recordObject(objectRow());
    await expect(evicted({})).rejects.toMatchObject({ name: 'LedgerError', message: expect.stringContaining('all') });
    expect(await evicted({ all: true })).toMatchObject({ objects: 1 });
  });

  test('thousands at once', async () => {
    const { ledger } = harness();
    const versions = Array.from({ length: 300 }, (_, n) => `1.0.${n}`);
    for (const version of versions) await ledger.recordObject(objectRow({ version }));
    const { objects, blobs, bytes } = await evicted({ purl: 'pkg:npm/express' });
    expect([objects, blobs.length, bytes]).toEqual([300, 300, 300_000]);
  });
}
