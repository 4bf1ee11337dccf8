import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ago, DAY, Week } from '../support/week.ts';

let week: Week;

beforeEach(async () => {
  week = await Week.start();
});

afterEach(() => week.stop());

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('npm', () => {
  const ABBREVIATED = 'application/vnd.npm.install-v1+json';
  const bytes = randomBytes(500);
  const release = (version: string) => ({
    name: 'widget',
    version,
    description: `the text of ${version}`,
    ...(version === '1.1.0' && { deprecated: 'too slow' }),
    dist: {
      tarball: `https://upstream.test/widget/-/widget-${version}.tgz`,
      integrity: `sha512-${createHash('sha512').update(bytes).digest('base64')}`,
      attestations: { url: `https://upstream.test/-/npm/v1/attestations/widget@${version}`, provenance: {} },
    },
  });
  const publish = (ages: Readonly<Record<string, number>>, tags: Readonly<Record<string, string>>) => {
    const times = Object.entries(ages).map(([version, days]) => [version, ago(days)] as const);
    const packument = {
      name: 'widget',
      description: `the text of ${tags['latest']}`,
      'dist-tags': tags,
      versions: Object.fromEntries(Object.keys(ages).map((version) => [version, release(version)])),
      time: { created: ago(200), modified: ago(Math.min(...Object.values(ages))), ...Object.fromEntries(times) },
    };
    week.say('/widget', JSON.stringify(packument), 'application/json');
    for (const version of Object.keys(ages)) {
      week.say(`/widget/-/widget-${version}.tgz`, bytes, 'application/octet-stream');
      week.say(`/-/npm/v1/attestations/widget@${version}`, '{"attestations":[]}', 'application/json');
    }
    return Object.fromEntries(times);
  };
  const AGES = { '1.0.0': 100, '2.0.0-rc.1': 60, '1.1.0': 50, '0.9.9': 10, '1.2.0': 3, '2.0.0-rc.2': 1 };
  const TAGS = { latest: '1.2.0', next: '2.0.0-rc.2', rc: '2.0.0-rc.1', maintained: '0.9.9' };

  test('a young release is in no view, and none tells of it', async () => {
    week.serve('npm');
    const times = publish(AGES, TAGS);
    const visible = ['1.0.0', '2.0.0-rc.1', '1.1.0', '0.9.9'];
    const tags = { latest: '1.1.0', rc: '2.0.0-rc.1', maintained: '0.9.9' };
    const full = await week.json('/npm/widget');
    expect(Object.keys(full.versions)).toEqual(visible);
    expect(Object.keys(full.time)).toEqual(['created', 'modified', ...visible]);
    expect([full.time.modified, full.description]).toEqual([times['0.9.9'], 'the text of 1.1.0']);
    const abbreviated = await week.json('/npm/widget', ABBREVIATED);
    expect(Object.keys(abbreviated.versions)).toEqual(visible);
    expect(abbreviated.modified).toBe(times['0.9.9']);
    for (const document of [full, abbreviated]) {
      expect(document['dist-tags']).toEqual(tags);
      expect(document.versions['1.1.0'].deprecated).toBe('too slow');
    }
    expect(await week.json('/npm/-/package/widget/dist-tags')).toEqual(tags);
    expect((await week.json('/npm/widget/latest')).version).toBe('1.1.0');
    expect((await week.json('/npm/widget/0.9.9')).version).toBe('0.9.9');
    await week.refuses([
      '/npm/widget/1.2.0',
      '/npm/widget/next',
      '/npm/widget/-/widget-1.2.0.tgz',
      '/npm/-/npm/v1/attestations/widget@1.2.0',
    ]);
    for (const [asked, version] of Object.entries({ next: '2.0.0-rc.2', '1.2.0': '1.2.0' }))
      expect((await week.got(`/npm/widget/${asked}`)).reason).toContain(`widget ${version}`);
    expect((await week.got('/npm/widget/3.0.0')).status).toBe(404);
  });

  test('what comes of age is there in the next answer, under another tag, though nothing changed upstream', async () => {
    week.serve('npm');
    publish(AGES, TAGS);
    const seen = new Set<string | null>();
    for (const [days, latest] of [
      [0, '1.1.0'],
      [4.1, '1.2.0'],
      [2, '1.2.0'],
    ] as const) {
      week.plane.ahead += days * DAY;
      for (const accept of ['application/json', ABBREVIATED]) {
        expect((await week.json('/npm/widget', accept))['dist-tags'].latest).toBe(latest);
        seen.add((await week.got('/npm/widget', accept)).tag);
      }
    }
    expect((await week.json('/npm/widget'))['dist-tags']).toEqual(TAGS);
    expect(seen.size).toBe(6);
    expect((await week.got('/npm/widget/-/widget-2.0.0-rc.2.tgz')).status).toBe(200);
    expect(week.upstream.count('/widget')).toBe(1);
  });

  test('what a client has from before a rule is not confirmed to it, and is once the rule is gone', async () => {
    week.serve('npm');
    publish(AGES, TAGS);
    for (const accept of ['application/json', ABBREVIATED]) {
      const { tag } = await week.got('/npm/widget', accept);
      const asked = async () => (await week.plane.get('/npm/widget', { accept, 'if-none-match': String(tag) })).status;
      for (let warm = 0; warm < 4; warm++) expect(await asked()).toBe(304);
      week.plane.rule('block', { name: 'bad', packages: ['pkg:npm/widget@1.1.0'], reason: 'it steals' });
      expect(await asked()).toBe(200);
      expect((await week.json('/npm/widget', accept))['dist-tags'].latest).toBe('1.0.0');
      week.plane.lift('block', 'bad');
      expect(await asked()).toBe(304);
    }
  });

  test('of which everything is young is refused in every view, with the reason', async () => {
    week.serve('npm');
    publish({ '1.0.0': 2, '1.1.0': 1 }, { latest: '1.1.0' });
    await week.refuses([
      '/npm/widget',
      ['/npm/widget', ABBREVIATED],
      '/npm/widget/1.0.0',
      '/npm/widget/latest',
      '/npm/-/package/widget/dist-tags',
      '/npm/widget/-/widget-1.0.0.tgz',
    ]);
    week.plane.ahead += 5.5 * DAY;
    expect((await week.json('/npm/widget/latest')).version).toBe('1.0.0');
  });
});

describe('PyPI', () => {
  const JSON_TYPE = 'application/vnd.pypi.simple.v1+json';
  const HTML_TYPE = 'application/vnd.pypi.simple.v1+html';
  const bytes = randomBytes(500);
  const metadata = 'Metadata-Version: 2.1\nName: widget\n';
  /** File, days, why it was yanked. */
  type Upload = readonly [file: string, days: number, yanked?: string];
  const SDIST = 'widget-1.0.tar.gz';
  const WHEEL = 'widget-1.0-py3-none-any.whl';
  const LATE = 'widget-1.0-py3-none-win32.whl';
  const UPLOADS: readonly Upload[] = [
    [SDIST, 100],
    [WHEEL, 100],
    [LATE, 2],
    ['widget-1.1.tar.gz', 50, 'broken'],
    ['widget-2.0.tar.gz', 3],
  ];

  const entryOf = ([filename, days, yanked]: Upload) => ({
    filename,
    url: `https://upstream.test/files/${filename}`,
    hashes: { sha256: sha256(bytes) },
    size: bytes.length,
    'upload-time': ago(days),
    'core-metadata': filename.endsWith('.whl') && { sha256: sha256(Buffer.from(metadata)) },
    'gpg-sig': filename.endsWith('.whl'),
    yanked: yanked ?? false,
  });
  const olderOf = ([filename, days, yanked]: Upload) => ({
    filename,
    url: `https://upstream.test/files/${filename}`,
    digests: { sha256: sha256(bytes) },
    upload_time_iso_8601: ago(days),
    yanked: yanked !== undefined,
    yanked_reason: yanked ?? null,
  });
  const versionOf = ([filename]: Upload) => /widget-([\d.]*\d)/.exec(filename)?.[1] ?? '';

  /** As an index that has JSON, or one that has HTML without times and the older JSON beside it. */
  function publish(uploads: readonly Upload[], shape: 'json' | 'html'): void {
    const anchors = uploads.map(
      ([file, , yanked]) =>
        `<a href="/files/${file}#sha256=${sha256(bytes)}"${yanked === undefined ? '' : ` data-yanked="${yanked}"`}>${file}</a>`,
    );
    const page = { meta: { 'api-version': '1.1' }, name: 'widget', files: uploads.map(entryOf) };
    if (shape === 'json') week.say('/simple/widget/', JSON.stringify(page), JSON_TYPE);
    else week.say('/simple/widget/', `<!DOCTYPE html><html><body>${anchors.join('\n')}</body></html>`, 'text/html');
    const releases = Map.groupBy(uploads, versionOf);
    const older = (version: string) => ({
      info: { name: 'widget', version, requires_dist: [`gadget==${version}`], yanked: false },
      urls: releases.get(version)?.map(olderOf) ?? [],
    });
    const all = Object.fromEntries([...releases].map(([version, of]) => [version, of.map(olderOf)]));
    const last = versionOf(uploads.at(-1) as Upload);
    week.say('/pypi/widget/json', JSON.stringify({ ...older(last), releases: all }), 'application/json');
    for (const version of releases.keys())
      week.say(`/pypi/widget/${version}/json`, JSON.stringify(older(version)), 'application/json');
    for (const [file] of uploads) {
      week.say(`/files/${file}`, bytes, 'application/octet-stream');
      week.say(`/files/${file}.metadata`, metadata, 'text/plain');
      week.say(`/files/${file}.asc`, 'signed', 'text/plain');
    }
  }

  const namesIn = (text: string) => [...new Set(text.match(/widget-[\w.-]+\.(?:tar\.gz|whl)/g))];
  const VISIBLE = [SDIST, WHEEL, 'widget-1.1.tar.gz'];

  test.each(['json', 'html'] as const)('a young file is in no view of what the upstream has as %s', async (shape) => {
    week.serve('pypi');
    publish(UPLOADS, shape);
    for (const type of [JSON_TYPE, HTML_TYPE, 'text/html']) {
      const page = await week.got('/pypi/simple/widget/', type);
      expect([page.type.split(';')[0], namesIn(page.text)]).toEqual([type, VISIBLE]);
      expect(page.text).toContain('broken');
    }
    const page = await week.json('/pypi/simple/widget/', JSON_TYPE);
    expect(page.versions).toEqual(['1.0', '1.1']);
    const { info, releases, urls } = await week.json('/pypi/pypi/widget/json');
    expect(Object.keys(releases)).toEqual(['1.0', '1.1']);
    expect([info.version, info.requires_dist, urls]).toEqual(['1.0', null, releases['1.0']]);
    expect((await week.json('/pypi/pypi/widget/1.0/json')).urls).toHaveLength(2);
    for (const file of VISIBLE) expect((await week.got(`/pypi/packages/widget/${file}`)).status).toBe(200);
    await week.refuses([
      '/pypi/pypi/widget/2.0/json',
      '/pypi/packages/widget/widget-2.0.tar.gz',
      `/pypi/packages/widget/${LATE}`,
    ]);
  });

  test('what is beside a file comes and goes with it', async () => {
    week.serve('pypi');
    publish(UPLOADS, 'json');
    expect((await week.got(`/pypi/packages/widget/${WHEEL}.metadata`)).text).toBe(metadata);
    expect((await week.got(`/pypi/packages/widget/${WHEEL}.asc`)).text).toBe('signed');
    await week.refuses([`/pypi/packages/widget/${LATE}.metadata`, `/pypi/packages/widget/${LATE}.asc`]);
    const { files } = await week.json('/pypi/simple/widget/', JSON_TYPE);
    expect(files[1]).toMatchObject({
      filename: WHEEL,
      'core-metadata': { sha256: sha256(Buffer.from(metadata)) },
      'gpg-sig': true,
    });
    expect(files.map((file: { yanked: unknown }) => file.yanked)).toEqual([false, false, 'broken']);
  });

  test.each(['json', 'html'] as const)('comes of age by itself, with %s upstream', async (shape) => {
    week.serve('pypi');
    publish(UPLOADS, shape);
    const before = await week.got('/pypi/simple/widget/', JSON_TYPE);
    week.plane.ahead += 4.1 * DAY;
    const after = await week.got('/pypi/simple/widget/', JSON_TYPE);
    expect(namesIn(after.text)).toEqual([...VISIBLE, 'widget-2.0.tar.gz']);
    expect(after.tag).not.toBe(before.tag);
    const { info } = await week.json('/pypi/pypi/widget/json');
    expect([info.version, info.requires_dist]).toEqual(['2.0', ['gadget==2.0']]);
    expect((await week.got('/pypi/packages/widget/widget-2.0.tar.gz')).status).toBe(200);
    expect(week.upstream.count('/simple/widget/')).toBe(1);
  });

  test('of which everything is young is refused in every view, with the reason', async () => {
    week.serve('pypi');
    publish([['widget-2.0.tar.gz', 3]], 'json');
    const pages = [JSON_TYPE, HTML_TYPE, 'text/html'].map((type) => ['/pypi/simple/widget/', type] as const);
    await week.refuses([...pages, '/pypi/pypi/widget/json', '/pypi/pypi/widget/2.0/json']);
    week.plane.ahead += 4.1 * DAY;
    expect((await week.json('/pypi/simple/widget/', JSON_TYPE)).versions).toEqual(['2.0']);
  });
});

describe('Cargo', () => {
  const crate = randomBytes(500);
  const line = (vers: string, days: number, yanked = false) =>
    `${JSON.stringify({ name: 'widget', vers, deps: [], cksum: sha256(crate), features: {}, yanked, pubtime: ago(days).replace(/\.\d+/, '') })}\n`;
  const publish = (lines: readonly string[]) => {
    week.say('/config.json', '{"dl":"https://upstream.test/crates","api":"https://upstream.test"}', 'application/json');
    week.say('/wi/dg/widget', lines.join(''), 'text/plain');
    for (const version of ['1.0.0', '1.1.0']) week.say(`/crates/widget/${version}/download`, crate, 'application/gzip');
  };
  const INDEX = '/cargo/wi/dg/widget';
  const addresses = (version: string) => [
    `/cargo/crates/widget/widget-${version}.crate`,
    `/cargo/api/v1/crates/widget/${version}/download`,
  ];

  test('a young line is left out, the others stay as they are, until it is of age', async () => {
    week.serve('cargo');
    const lines = [line('0.9.0', 100, true), line('1.0.0', 90), line('1.1.0', 3), line('0.9.1', 2)];
    publish(lines);
    const before = await week.got(INDEX);
    expect(before.text).toBe(lines.slice(0, 2).join(''));
    await week.refuses(addresses('1.1.0'));
    for (const address of addresses('1.0.0')) expect((await week.got(address)).status).toBe(200);
    week.plane.ahead += 4.1 * DAY;
    const after = await week.got(INDEX);
    expect(after.text).toBe(lines.slice(0, 3).join(''));
    expect(after.tag).not.toBe(before.tag);
    for (const address of addresses('1.1.0')) expect((await week.got(address)).status).toBe(200);
    expect(week.upstream.count('/wi/dg/widget')).toBe(1);
  });

  test('of which everything is young is refused, with the reason', async () => {
    week.serve('cargo');
    publish([line('1.0.0', 3), line('1.1.0', 1)]);
    await week.refuses([INDEX, ...addresses('1.0.0')]);
    week.plane.ahead += 4.1 * DAY;
    expect((await week.got(INDEX)).status).toBe(200);
  });
});
