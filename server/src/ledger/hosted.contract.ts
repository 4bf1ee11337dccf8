import { expect, test } from 'vitest';
import type { Harness } from './contract-harness.ts';
import type { HostedChange, ObjectRow } from './ledger.ts';
import { digestOf, objectRow } from './samples.ts';

const PACKAGE = 'box';

function published(version: string, given: Partial<ObjectRow> = {}): ObjectRow {
  return objectRow({ repository: 'own', name: PACKAGE, version, url: '', upstream: '', ...given });
}

function change(given: Partial<HostedChange>): HostedChange {
  return {
    repository: 'own',
    format: 'npm',
    package: PACKAGE,
    at: 1000,
    files: [],
    metadata: [],
    removed: [],
    ...given,
  };
}

/** What was published is there whole, once, and remembered when it is removed. */
export function hostedContract(harness: () => Harness): void {
  const done = { is: 'done' };

  test('a release comes back with what was said of it, in the order of publication', async () => {
    const { ledger } = harness();
    expect(await ledger.hostedPackage('own', PACKAGE)).toBeUndefined();
    const [first, second] = [published('2.0.0'), published('1.0.0', { role: 'signature' })];
    const metadata = JSON.stringify({ text: 'ünï \u0000 code', deep: { list: [1] } });
    expect(await ledger.publish(change({ document: '{"tags":{}}', files: [{ object: first, metadata }] }))).toEqual(
      done,
    );
    expect(await ledger.publish(change({ expect: 1, at: 2000, files: [{ object: second }] }))).toEqual(done);
    const { path, digest, size, role } = first;
    expect(await ledger.hostedPackage('own', PACKAGE)).toEqual({
      name: PACKAGE,
      revision: 2,
      updatedAt: 2000,
      document: '{"tags":{}}',
      files: [
        { path, version: '2.0.0', role, digest, size, metadata, publishedAt: 1000 },
        {
          path: second.path,
          version: '1.0.0',
          role: 'signature',
          digest: second.digest,
          size: second.size,
          publishedAt: 2000,
        },
      ],
    });
    expect(await ledger.object('own', path)).toEqual(first);
    expect(await ledger.hostedPackage('other', PACKAGE)).toBeUndefined();
    expect(await ledger.stats()).toMatchObject({ packages: 1, releases: 2, objects: 2 });
  });

  test('of two changes made for one state the second is told so, and does nothing', async () => {
    const { ledger } = harness();
    expect(await ledger.publish(change({ document: '1' }))).toEqual(done);
    for (const expect_ of [0, 2])
      expect(
        await ledger.publish(change({ expect: expect_, document: '2', files: [{ object: published('1.0.0') }] })),
      ).toEqual({ is: 'moved' });
    expect(await ledger.hostedPackage('own', PACKAGE)).toMatchObject({ revision: 1, document: '1', files: [] });
    const both = await Promise.all(
      ['a', 'b'].map((text) => ledger.publish(change({ expect: 1, document: `"${text}"` }))),
    );
    expect(both.map(({ is }) => is).sort()).toEqual(['done', 'moved']);
  });

  test('other bytes are refused under a name, those that are there not, and all of the change with them', async () => {
    const { ledger } = harness();
    const object = published('1.0.0');
    await ledger.publish(change({ files: [{ object, metadata: '1' }] }));
    const other = { ...object, digest: digestOf('other') };
    const files = [{ object: published('2.0.0') }, { object: other, metadata: '2' }];
    expect(await ledger.publish(change({ expect: 1, document: '2', files }))).toMatchObject({
      is: 'taken',
      path: object.path,
      removed: false,
    });
    const left = await ledger.hostedPackage('own', PACKAGE);
    expect(left?.files).toMatchObject([{ path: object.path, digest: object.digest, metadata: '1' }]);
    expect(await ledger.object('own', object.path)).toEqual(object);
    expect(await ledger.object('own', published('2.0.0').path)).toBeUndefined();
    expect(await ledger.publish(change({ expect: left?.revision ?? 0, files: [{ object }] }))).toEqual(done);
  });

  test('of many at once that put other bytes under one name, one is there', async () => {
    const { ledger, again } = harness();
    const other = await again();
    const { package: _, ...alone } = change({});
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, (__, n) => {
        const object = published('1.0.0', { digest: digestOf(`${n}`) });
        return (n % 2 ? other : ledger).publish({ ...alone, files: [{ object }] });
      }),
    );
    await other.close();
    expect(outcomes.filter(({ is }) => is === 'done')).toHaveLength(1);
  });

  test('what is removed is remembered, and only the same bytes come back, unless its name is freed', async () => {
    const { ledger } = harness();
    const [kept, freed] = [published('1.0.0'), published('2.0.0')];
    await ledger.publish(change({ files: [{ object: kept }, { object: freed }] }));
    const removed = [
      { path: kept.path, frees: false },
      { path: freed.path, frees: true },
    ];
    expect(await ledger.publish(change({ expect: 1, at: 3000, removed }))).toEqual(done);
    for (const { path } of removed) expect(await ledger.object('own', path)).toBeUndefined();
    expect(await ledger.hostedPackage('own', PACKAGE)).toMatchObject({ files: [{ path: kept.path, removedAt: 3000 }] });
    expect(await ledger.hostedNames('own')).toEqual([]);
    const evicted = await ledger.evict({ repository: 'own', path: '\n' });
    expect([...evicted.blobs].sort()).toEqual([kept.digest, freed.digest].sort());
    await ledger.buried(evicted.blobs);

    const put = (object: ObjectRow, digest: string) =>
      ledger.publish(change({ expect: 2, files: [{ object: { ...object, digest } }] }));
    expect(await put(kept, digestOf('other'))).toEqual({ is: 'taken', path: kept.path, removed: true });
    const { revision = 0 } = (await ledger.hostedPackage('own', PACKAGE)) ?? {};
    const back = [{ object: kept }, { object: { ...freed, digest: digestOf('other') } }];
    expect(await ledger.publish(change({ expect: revision, files: back }))).toEqual(done);
    expect((await ledger.hostedPackage('own', PACKAGE))?.files.map(({ removedAt }) => removedAt)).toEqual([
      undefined,
      undefined,
    ]);
    expect(await ledger.hostedNames('own')).toEqual([PACKAGE]);
  });

  test('what is said of a file changes, its bytes do not', async () => {
    const { ledger } = harness();
    const object = published('1.0.0');
    await ledger.publish(change({ files: [{ object, metadata: '1' }] }));
    await ledger.publish(change({ expect: 1, metadata: [{ path: object.path, metadata: '2' }] }));
    expect(await ledger.hostedPackage('own', PACKAGE)).toMatchObject({
      revision: 2,
      files: [{ metadata: '2', digest: object.digest }],
    });
  });

  test('what is evicted is forgotten, and its name is free', async () => {
    const { ledger } = harness();
    const [first, second] = [published('1.0.0'), published('2.0.0')];
    await ledger.publish(change({ document: '1', files: [{ object: first }, { object: second }] }));
    await ledger.buried((await ledger.evict({ repository: 'own', purl: 'pkg:npm/box@1.0.0' })).blobs);
    expect(await ledger.hostedPackage('own', PACKAGE)).toMatchObject({ revision: 2, files: [{ path: second.path }] });
    const other = { ...first, digest: digestOf('other') };
    expect(await ledger.publish(change({ expect: 2, files: [{ object: other }] }))).toEqual(done);
    await ledger.publish(change({ expect: 3, removed: [{ path: other.path, frees: false }] }));
    await ledger.evict({ repository: 'own', path: other.path });
    expect((await ledger.hostedPackage('own', PACKAGE))?.files).toHaveLength(1);
    await ledger.buried((await ledger.evict({ repository: 'own', all: true })).blobs);
    expect(await ledger.hostedPackage('own', PACKAGE)).toBeUndefined();
    expect(await ledger.publish(change({ files: [{ object: first }] }))).toEqual(done);
  });
}
