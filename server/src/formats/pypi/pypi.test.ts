import { describe, expect, test } from 'vitest';
import { Malformed, type RawDocument, type ReleaseFile } from '../../engine/format.ts';
import { documentOf, fixturesOf, indexAt, site } from '../fixtures.ts';
import type { Document } from './documents.ts';
import { pypi } from './index.ts';

const JSON_TYPE = 'application/vnd.pypi.simple.v1+json';
const withheld = { rule: 'cooldown', reason: 'too young' };

describe('a page in JSON', () => {
  const doc = read('holy-grail.json');

  test('says of every file what it must be and when it came', () => {
    expect(filesOf(doc).get('packages/holy-grail/holy_grail-1.0-py3-none-any.whl')).toEqual({
      path: 'packages/holy-grail/holy_grail-1.0-py3-none-any.whl',
      url: 'https://upstream.test/files/holy_grail-1.0-py3-none-any.whl',
      digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      size: 1031,
      published: { at: Date.UTC(2026, 0, 1), by: 'server' },
    });
    const metadata = filesOf(doc).get('packages/holy-grail/holy_grail-1.0-py3-none-any.whl.metadata');
    expect(metadata).toMatchObject({
      role: 'metadata',
      digest: expect.stringMatching(/^sha256:/),
      url: 'https://upstream.test/files/holy_grail-1.0-py3-none-any.whl.metadata',
    });
    expect(filesOf(doc).get('packages/holy-grail/Holy.Grail-0.9.zip.asc')).toMatchObject({ role: 'signature' });
    expect(filesOf(doc).get('packages/holy-grail/Holy.Grail-0.9.zip')?.digest).toMatch(/^md5:/);
  });

  test('groups files by the version they mean', () => {
    expect([...pypi.index.releases(doc)].map(({ version, yanked }) => [version, yanked])).toEqual([
      ['0.9', undefined],
      ['1.0', undefined],
      ['1.1b1', true],
      ['1.1', undefined],
    ]);
  });

  test('is served as JSON with our addresses', () => {
    const source = JSON.parse(Buffer.from(documentOf(pypi, fixture('holy-grail.json')).bytes).toString());
    const served = JSON.parse(text(doc, 'json'));
    expect(served).toMatchObject({
      meta: { 'api-version': '1.4' },
      name: 'holy-grail',
      'project-status': source['project-status'],
    });
    expect(served.files[1]).toEqual({
      filename: 'holy-grail-1.0.tar.gz',
      url: '../../packages/holy-grail/holy-grail-1.0.tar.gz',
      hashes: source.files[1].hashes,
      'requires-python': '>=3.8,<4',
      size: source.files[1].size,
      'upload-time': '2020-01-01T00:00:00.123456Z',
      yanked: false,
    });
    expect(served.files[2]['core-metadata']).toEqual(source.files[2]['core-metadata']);
    expect(served.files[3].yanked).toBe('breaks <everything> & "more"');
    expect(served.files.some((file: object) => 'provenance' in file)).toBe(false);
  });

  test('is served as HTML, escaped', () => {
    const html = text(doc, 'html');
    expect(html).toContain('data-requires-python="&gt;=3.8,&lt;4"');
    expect(html).toContain('data-yanked="breaks &lt;everything&gt; &amp; &quot;more&quot;"');
    expect(html).toContain('data-yanked=""');
    expect(html).toContain(
      '<meta name="pypi:project-status-reason" content="&lt;moved&gt; &amp; &quot;renamed&quot;">',
    );
    expect(html).not.toMatch(/upstream\.test/);
    expect(html).toMatch(/href="\.\.\/\.\.\/packages\/holy-grail\/holy-grail-1\.0\.tar\.gz#sha256=[0-9a-f]{64}"/);
  });

  test('offers provenance over https alone', () => {
    const target = indexAt(pypi, 'simple/holy-grail/', JSON_TYPE);
    const served = pypi.index.encode(doc, target, { ...site, base: 'https://entrepot.test/pypi' });
    expect(JSON.parse(String(served?.bytes)).files[2].provenance).toBe(
      'https://entrepot.test/pypi/integrity/holy-grail/1.0/holy_grail-1.0-py3-none-any.whl/provenance',
    );
  });

  test('loses one withheld file, not its release; versions follow', () => {
    const kept = hide(doc, ['holy_grail-1.0-py3-none-any.whl', 'Holy.Grail-0.9.zip']);
    expect(JSON.parse(text(kept, 'json')).versions).toEqual(['1.0', '1.1b1', '1.1']);
    expect([...filesOf(kept).keys()].filter((path) => path.includes('-1.0'))).toEqual([
      'packages/holy-grail/holy-grail-1.0.tar.gz',
    ]);
  });
});

describe('a page in HTML', () => {
  const doc = read('holy-grail.html');

  test('is read by its links, wherever they lead', () => {
    expect([...filesOf(doc).values()].map(({ path, url }) => [path, url])).toEqual([
      ['packages/holy-grail/Holy.Grail-0.9.zip', 'https://upstream.test/mirror/files/Holy.Grail-0.9.zip'],
      ['packages/holy-grail/Holy.Grail-0.9.zip.asc', 'https://upstream.test/mirror/files/Holy.Grail-0.9.zip.asc'],
      [
        'packages/holy-grail/holy_grail-1.0+local.1-py3-none-any.whl',
        'https://upstream.test/mirror/files/holy_grail-1.0%2Blocal.1-py3-none-any.whl',
      ],
      [
        'packages/holy-grail/holy_grail-1.0+local.1-py3-none-any.whl.metadata',
        'https://upstream.test/mirror/files/holy_grail-1.0%2Blocal.1-py3-none-any.whl.metadata',
      ],
      [
        'packages/holy-grail/holy_grail-1.0+local.1.tar.gz',
        'https://upstream.test/mirror/files/holy_grail-1.0+local.1.tar.gz',
      ],
    ]);
    expect(filesOf(doc).get('packages/holy-grail/holy_grail-1.0+local.1.tar.gz')?.yanked).toBe(true);
  });

  test('is served as JSON that does not claim sizes it lacks', () => {
    const served = JSON.parse(text(doc, 'json'));
    expect(served.meta).toEqual({ 'api-version': '1.0' });
    expect(served.files[1]).toMatchObject({
      filename: 'holy_grail-1.0+local.1-py3-none-any.whl',
      'requires-python': '>=3.8',
      'core-metadata': { sha256: expect.any(String) },
    });
  });

  test('gets its dates and sizes from the older JSON', () => {
    const page = read('urllib3.html');
    const target = indexAt(pypi, 'simple/urllib3/');
    expect(filesOf(page).get('packages/urllib3/urllib3-2.2.0.tar.gz')?.published).toBeUndefined();
    const [named, ...rest] = pypi.index.more?.(page, target) ?? [];
    expect(rest).toEqual([]);
    expect(named).toMatchObject({ path: 'pypi/urllib3/json', optional: true });
    const merged = pypi.index.merge([page, read('urllib3.json')]);
    expect(pypi.index.more?.(merged, target)).toEqual([]);
    expect([...filesOf(merged).keys()]).toEqual([...filesOf(page).keys()]);
    expect(filesOf(merged).get('packages/urllib3/urllib3-2.2.0.tar.gz')).toMatchObject({
      size: 287_152,
      url: expect.stringContaining('/e2/cc/'),
      published: { at: Date.parse('2024-01-30T15:18:07.629Z'), by: 'server' },
    });
    expect(JSON.parse(text(merged, 'json')).files[0]).toMatchObject({
      'upload-time': '2019-04-22T14:06:46.595819Z',
      yanked: 'Broken release',
    });
  });

  test('with dates of its own asks for nothing more', () => {
    const page = read('urllib3-dated.html');
    expect(pypi.index.more?.(page, indexAt(pypi, 'simple/urllib3/'))).toEqual([]);
    expect(filesOf(page).get('packages/urllib3/urllib3-2.2.0.tar.gz')?.published?.at).toBe(
      Date.parse('2024-01-30T15:18:07.629Z'),
    );
  });
});

describe('of two documents', () => {
  const page = (files: readonly object[]) =>
    decode(
      JSON.stringify({ name: 'a', files: files.map((file) => ({ url: 'https://upstream.test/x', ...file })) }),
      JSON_TYPE,
    );
  const one = { filename: 'a-1.0.tar.gz', hashes: { sha256: '1'.repeat(64) } };

  test('the first wins a file whose bytes differ, whole', () => {
    const other = { ...one, hashes: { sha256: '2'.repeat(64) }, size: 7, 'upload-time': '2020-01-01T00:00:00Z' };
    const merged = pypi.index.merge([page([one]), page([other, { ...other, filename: 'a-2.0.tar.gz' }])]);
    const files = JSON.parse(text(merged, 'json')).files;
    expect(files[0]).toEqual({ ...one, url: '../../packages/a/a-1.0.tar.gz', yanked: false });
    expect(files[1]).toMatchObject({ filename: 'a-2.0.tar.gz', size: 7 });
  });

  test('a list has the names of both', () => {
    const names = (...list: string[]): Document => ({ kind: 'list', names: list });
    expect(pypi.index.merge([names('a', 'b'), names('b', 'c')])).toEqual(names('a', 'b', 'c'));
  });

  test('the sternest status counts', () => {
    const status = (text: string) =>
      decode(JSON.stringify({ name: 'a', files: [], 'project-status': { status: text } }), JSON_TYPE);
    expect(pypi.index.merge([status('archived'), status('quarantined'), status('active')])).toMatchObject({
      status: { status: 'quarantined' },
    });
  });
});

describe('the older JSON', () => {
  const doc = read('urllib3.json');

  test('has absolute addresses of ours and is otherwise kept', () => {
    const source = JSON.parse(Buffer.from(documentOf(pypi, fixture('urllib3.json')).bytes).toString());
    const served = JSON.parse(text(doc, 'legacy'));
    expect({ ...served, releases: 0, urls: 0 }).toEqual({ ...source, releases: 0, urls: 0 });
    expect(served.releases['1.25'][0]).toEqual({
      ...source.releases['1.25'][0],
      url: `${site.base}/packages/urllib3/urllib3-1.25.tar.gz`,
    });
    expect(served.urls).toHaveLength(source.urls.length);
  });

  test('lists nothing that is withheld', () => {
    const served = JSON.parse(
      text(hide(doc, ['urllib3-1.25.tar.gz', 'urllib3-1.25-py2.py3-none-any.whl', 'urllib3-2.2.0.tar.gz']), 'legacy'),
    );
    expect(Object.keys(served.releases)).toEqual(['1.26.18', '2.2.0']);
    expect(served.releases['2.2.0']).toHaveLength(1);
  });
});

describe('the list of projects', () => {
  test('is read from HTML and served as either', () => {
    const doc = read('list.html');
    expect(JSON.parse(text(doc, 'json')).projects).toEqual([{ name: 'Holy.Grail' }, { name: 'urllib3' }]);
    expect(text(doc, 'html')).toContain('<a href="holy-grail/">Holy.Grail</a>');
  });
});

describe('a bad page', () => {
  test.each([
    ['{"name":"b","files":[]}', JSON_TYPE, /another project, "b"/],
    ['{"name":"a"}', JSON_TYPE, /no files/],
    ['<html><body>oops</body></html>', JSON_TYPE, /markup/],
    ['<html><form action="/login"></form></html>', 'text/html', /perhaps a login/],
    ['plainly not a page', 'text/html', /neither HTML nor JSON/],
    ['', 'text/html', /neither HTML nor JSON/],
  ])('%s as %s is Malformed', (body, type, why) => {
    expect(() => decode(body, type)).toThrow(Malformed);
    expect(() => decode(body, type)).toThrow(why);
  });

  test('is recognised by its first character where the upstream does not know its type', () => {
    expect(decode('{"name":"A","files":[]}', 'application/octet-stream')).toEqual({
      kind: 'page',
      name: 'a',
      files: [],
    });
  });

  test.each(['../../etc/passwd.zip', 'a-1.0.tar.gz/../x.zip', 'a\u0000.zip', 'readme.txt', '.whl/', '__proto__'])(
    'cannot list %j',
    (filename) => {
      const entry = { filename, url: 'https://upstream.test/x', hashes: {} };
      expect(decode(JSON.stringify({ name: 'a', files: [entry, null, 7, {}] }), JSON_TYPE)).toMatchObject({
        files: [],
      });
    },
  );

  test('cannot list one name twice: the first is the one', () => {
    const entry = (digit: string) => ({
      filename: 'a-1.0.zip',
      url: 'https://upstream.test/x',
      hashes: { sha256: digit.repeat(64) },
    });
    const doc = decode(JSON.stringify({ name: 'a', files: [entry('1'), entry('2')] }), JSON_TYPE);
    expect([...pypi.index.releases(doc)].flatMap(({ files }) => files.map((file) => file.digest))).toEqual([
      `sha256:${'1'.repeat(64)}`,
    ]);
  });

  test('cannot announce a hash that is none', () => {
    const entry = {
      filename: 'a-1.0.zip',
      url: 'https://upstream.test/x',
      hashes: { sha256: 'zz', __proto__: 'x', sha1: '3'.repeat(40) },
    };
    const doc = decode(JSON.stringify({ name: 'a', files: [entry] }), JSON_TYPE);
    expect(filesOf(doc).get('packages/a/a-1.0.zip')?.digest).toBe(`sha1:${'3'.repeat(40)}`);
  });
});

function decode(body: string, type: string): Document {
  const raw: RawDocument = { bytes: Buffer.from(body), type, url: 'https://upstream.test/simple/a/' };
  return pypi.index.decode(raw, indexAt(pypi, 'simple/a/'));
}

function fixture(file: string) {
  const found = fixturesOf(pypi).find((each) => each.file === file);
  if (!found) throw new Error(`no fixture ${file}`);
  return found;
}

function read(file: string): Document {
  const { request } = fixture(file);
  return pypi.index.decode(documentOf(pypi, fixture(file)), indexAt(pypi, request));
}

function text(doc: Document, view: string): string {
  const path = doc.kind === 'list' ? 'simple/' : `simple/${doc.name}/`;
  return String(pypi.index.encode(doc, { ...indexAt(pypi, path), view }, site)?.bytes);
}

function filesOf(doc: Document): ReadonlyMap<string, ReleaseFile> {
  return new Map([...pypi.index.releases(doc)].flatMap(({ files }) => files.map((file) => [file.path, file] as const)));
}

function hide(doc: Document, filenames: readonly string[]): Document {
  return pypi.index.keep(doc, (path) => (filenames.some((file) => path.endsWith(`/${file}`)) ? withheld : undefined));
}
