import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { schemaNames } from '../../src/ledger/schema-names.ts';
import { restore as restoreInto } from '../../src/maintenance/restore.ts';
import { type Store, StoreError } from '../../src/store/store.ts';
import { commandLine, type Ended } from '../support/command-line.ts';
import { TestServer } from '../support/test-server.ts';
import { type ArchiveEntry, entriesIn, writeArchive } from './archives.ts';

let folder: string;
let good: string;
let entries: readonly ArchiveEntry[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrepot-bad-'));
  good = join(folder, 'good.tar.zst');
  const server = await TestServer.start();
  try {
    await server.put('/api/v2/hosted/own', { format: 'generic' });
    const headers = { authorization: `Bearer ${server.token}` };
    await fetch(`${server.url}/own/box-1.0.tar.gz`, { method: 'PUT', headers, body: 'published' });
    const made = await commandLine(['backup', good, '--with-blobs', 'all', '--with-secrets'], {
      cwd: folder,
      env: { ENTREPOT_URL: server.url, ENTREPOT_TOKEN: server.token },
    });
    expect(made).toMatchObject({ code: 0, err: '' });
  } finally {
    await server.stop();
  }
  entries = await entriesIn(good);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(folder, 'data-'));
});

const restore = (file: string, ...flags: string[]): Promise<Ended> =>
  commandLine(['restore', file, '--data', data, ...flags], { cwd: folder });
const verify = (file: string): Promise<Ended> => commandLine(['verify', 'backup', file], { cwd: folder });

/** Refused with one line, and the folder is as it was. */
async function expectRefused(file: string, words: RegExp): Promise<void> {
  for (const ended of [await restore(file), await verify(file)]) {
    expect(ended).toMatchObject({ code: 1, out: '' });
    expect(ended.err).toMatch(/^entrepot: [^\n]+\n$/);
    expect(ended.err).toMatch(words);
  }
  expect((await readdir(data)).filter((name) => !['blobs', 'tmp'].includes(name))).toEqual([]);
}

async function expectEntriesRefused(changed: readonly ArchiveEntry[], words: RegExp): Promise<void> {
  const file = join(data, '..', 'changed.tar.zst');
  await writeArchive(file, changed);
  await expectRefused(file, words);
}

const named = (name: string): ArchiveEntry => entries.find((entry) => entry.name === name) as ArchiveEntry;
const without = (name: string): ArchiveEntry[] => entries.filter((entry) => entry.name !== name);
const replaced = (name: string, content: string): ArchiveEntry[] =>
  entries.map((entry) => (entry.name === name ? { name, content } : entry));

test('what was not changed is good', async () => {
  const file = join(data, '..', 'same.tar.zst');
  await writeArchive(file, entries);
  expect(await verify(file)).toMatchObject({ code: 0, err: '' });
  expect((await verify(good)).out).toMatch(/1 resource, 1 object, 0 pulls; read, and whole\n1 blob in it/);
});

test('a backup that was cut off at any place is refused', async () => {
  const bytes = await readFile(good);
  const file = join(folder, 'cut.tar.zst');
  for (let tenth = 0; tenth < 10; tenth += 1) {
    await writeFile(file, bytes.subarray(0, Math.floor((bytes.length * tenth) / 10)));
    await expectRefused(file, /is damaged or cut off|is no Entrepot backup/);
  }
  await writeFile(file, bytes.subarray(0, -1));
  await expectRefused(file, /is damaged or cut off/);
});

test('a backup in which one bit is another is refused, unless what is in it is the same all the same', async () => {
  const bytes = await readFile(good);
  const content = zstdDecompressSync(bytes);
  const isSame = (file: Buffer): boolean => {
    try {
      return zstdDecompressSync(file).equals(content);
    } catch {
      return false;
    }
  };
  const file = join(folder, 'flipped.tar.zst');
  for (let part = 0; part < 24; part += 1) {
    const flipped = Buffer.from(bytes);
    const at = Math.floor((bytes.length * part) / 24);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (part % 8));
    await writeFile(file, flipped);
    if (isSame(flipped)) expect(await verify(file)).toMatchObject({ code: 0, err: '' });
    else await expectRefused(file, /is damaged|is no Entrepot backup|newer Entrepot/);
  }
});

test('what lacks its end, or a part, is refused, though every byte of it is right', async () => {
  await expectEntriesRefused(without('complete.json'), /is cut off: its end is missing/);
  await expectEntriesRefused(without('database.sqlite'), /is cut off: its end is missing/);
  await expectEntriesRefused(without('manifest.json'), /is no Entrepot backup: "configuration.json" is in it/);
  const blobs = entries.filter(({ name }) => !name.startsWith('blobs/'));
  await expectEntriesRefused(blobs, /is damaged: blobs is not/);
  await expectEntriesRefused([], /there is nothing in it/);
});

test('bytes that are not what the manifest says are refused', async () => {
  const other = Buffer.from(named('database.sqlite').content ?? '');
  other[5000] = (other[5000] ?? 0) ^ 1;
  const changed = entries.map((entry) => (entry.name === 'database.sqlite' ? { ...entry, content: other } : entry));
  await expectEntriesRefused(changed, /is damaged: database\.sqlite is not what it was/);
  await expectEntriesRefused(replaced('configuration.json', '{}'), /is damaged: configuration\.json/);
  const blob = entries.find(({ name }) => name.startsWith('blobs/sha256/'))?.name ?? '';
  await expectEntriesRefused(replaced(blob, 'punlished'), /is damaged: sha256:/);
  const manifest = String(named('manifest.json').content).replace('"made_at": "2', '"made_at": "3');
  await expectEntriesRefused(replaced('manifest.json', manifest), /is damaged: manifest\.json/);
});

test.each([
  ['a way out of the folder', { name: '../../evil', content: 'x' }],
  ['an absolute path', { name: '/etc/evil', content: 'x' }],
  ['a way out that begins like a segment', { name: 'journal/../../evil.ndjson', content: 'x' }],
  ['a file that is no part', { name: 'entrepot.sqlite', content: 'x' }],
  ['a symbolic link', { name: 'journal/rejected.ndjson', type: 'symlink', linkname: '/etc/passwd' }],
  ['a folder', { name: 'journal', type: 'directory' }],
  ['a part that the manifest does not have', { name: 'secrets/other', content: 'x' }],
  ['a blob under a name that is none', { name: 'blobs/sha256/aa/bb/../../../evil', content: 'x' }],
] as const)('%s in it is refused', async (_, entry) => {
  const [manifest, ...rest] = entries;
  await expectEntriesRefused([manifest as ArchiveEntry, entry, ...rest], /is no Entrepot backup: "/);
  expect(await readdir(folder)).not.toContain('evil');
});

test('a part twice, or one after the end, is refused', async () => {
  await expectEntriesRefused([...entries, named('configuration.json')], /"configuration\.json" is in it/);
  const [manifest, configuration, ...rest] = entries as [ArchiveEntry, ArchiveEntry];
  await expectEntriesRefused([manifest, configuration, configuration, ...rest], /"configuration\.json" is in it/);
});

test('a manifest that names files outside of the folder is none', async () => {
  const content = String(named('manifest.json').content).replace('"configuration.json"', '"../configuration.json"');
  await expectEntriesRefused(replaced('manifest.json', content), /its manifest is none/);
});

test('a backup of a newer program is refused, by its form and by its tables', async () => {
  const text = String(named('manifest.json').content);
  await expectEntriesRefused(
    replaced(
      'manifest.json',
      text.replace('"format": 1', '"format": 2').replace(/"program": "[^"]+"/, '"program": "9.9.9"'),
    ),
    /was made by a newer Entrepot \(9\.9\.9\): restore it with that version/,
  );
  const manifest = text.replace('"schema": [', '"schema": [\n"Later9999999999999",');
  const sha256 = createHash('sha256').update(manifest).digest('hex');
  const complete = String(named('complete.json').content).replace(/[0-9a-f]{64}/, sha256);
  const file = join(folder, 'later.tar.zst');
  await writeArchive(
    file,
    replaced('manifest.json', manifest).map((entry) =>
      entry.name === 'complete.json' ? { ...entry, content: complete } : entry,
    ),
  );
  const { code, err } = await restore(file);
  expect([code, err]).toEqual([
    1,
    expect.stringMatching(/newer Entrepot \(.*it has "Later9999999999999"\): restore it with/),
  ]);
});

test('what is no backup at all is said to be none', async () => {
  await writeFile(join(folder, 'text'), 'hello, I am a text and no backup');
  await expectRefused(join(folder, 'text'), /is no Entrepot backup: it is no tar compressed with zstd/);
  await expectRefused(join(folder, 'nothing-here'), /there is no such file/);
  await expectRefused(folder, /is no file/);
  await symlink('/etc/passwd', join(folder, 'link'));
  await expectRefused(join(folder, 'link'), /is no Entrepot backup/);
});

test('a folder that is used is left alone, or moved aside when that is asked for', async () => {
  expect((await restore(good)).code).toBe(0);
  const again = await restore(good);
  expect(again).toMatchObject({
    code: 1,
    err: expect.stringMatching(/is in use: .*entrepot\.sqlite is there; .*--force/),
  });
  const server = await TestServer.start({ data });
  const running = await restore(good, '--force').finally(() => server.stop());
  expect(running).toMatchObject({ code: 1, err: expect.stringContaining('is in use by the Entrepot with process id') });
  const forced = await restore(good, '--force');
  expect(forced).toMatchObject({ code: 0, err: '' });
  const [aside = ''] = (await readdir(data)).filter((name) => name.startsWith('before-restore-'));
  expect((await readdir(join(data, aside))).sort()).toEqual(['admin-token', 'entrepot.sqlite', 'secret-key']);
});

test('no server starts in a folder where a restore was broken off, until it is restored', async () => {
  await mkdir(join(data, 'restore.partial'));
  await expect(TestServer.start({ data })).rejects.toThrow(/holds a restore that was broken off/);
  expect((await restore(good, '--force')).code).toBe(0);
  await (await TestServer.start({ data })).stop();
});

test('a damaged backup leaves what is there as it is, also with --force', async () => {
  await restore(good);
  const before = await readFile(join(data, 'entrepot.sqlite'));
  const file = join(folder, 'cut.tar.zst');
  await writeFile(file, (await readFile(good)).subarray(0, -100));
  expect((await restore(file, '--force')).code).toBe(1);
  expect((await readFile(join(data, 'entrepot.sqlite'))).equals(before)).toBe(true);
  expect(await readdir(data)).not.toContain('restore.partial');
});

test('without the keys of that time it is said that no server starts, and with new ones it does', async () => {
  const keyless = join(folder, 'keyless.tar.zst');
  const manifest = JSON.parse(String(named('manifest.json').content));
  manifest.secrets = [];
  manifest.parts = manifest.parts.filter(({ name }: { name: string }) => !name.startsWith('secrets/'));
  const text = JSON.stringify(manifest);
  const complete = JSON.parse(String(named('complete.json').content));
  complete.manifest_sha256 = createHash('sha256').update(text).digest('hex');
  await writeArchive(
    keyless,
    entries
      .filter(({ name }) => !name.startsWith('secrets/'))
      .map((entry) => {
        if (entry.name === 'manifest.json') return { ...entry, content: text };
        return entry.name === 'complete.json' ? { ...entry, content: JSON.stringify(complete) } : entry;
      }),
  );
  expect((await restore(keyless)).out).toContain('The secret key of that time is not here');
  await expect(TestServer.start({ data })).rejects.toThrow(/secret_key/);
  const renewed = await restore(keyless, '--force', '--new-keys');
  expect(renewed.out).not.toContain('secret key');
  await (await TestServer.start({ data })).stop();
});

test('where there is no room it is said, and what is there stays as it is', async () => {
  const full: Store = new Proxy({} as Store, {
    get: (_, name) => async () => {
      if (name === 'stat') return undefined;
      throw new StoreError('full', 'no space left for /blobs (ENOSPC): free space or enlarge the volume');
    },
  });
  const plan = { data, database: join(data, 'entrepot.sqlite'), journal: join(data, 'journal'), store: full };
  const refused = restoreInto({
    ...plan,
    file: good,
    schema: schemaNames,
    force: false,
    newKeys: false,
    now: Date.now,
  });
  await expect(refused).rejects.toThrow(/no space left/);
  expect(await readdir(data)).toEqual([]);
});
