import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { Plane } from '../support/plane.ts';

const INDEX = '/wi/dg/widget';
const CRATE = '/crates/Widget/Widget-1.0.0.crate';
const SPELLINGS = [CRATE, '/api/v1/crates/Widget/1.0.0/download'];
const PUBTIME = '2026-01-02T03:04:05Z';
const crate = randomBytes(200_000);

let upstream: FakeUpstream;
/** Where the upstream's configuration says that crates are. */
let files: FakeUpstream;
let plane: Plane;

beforeEach(async () => {
  upstream = await FakeUpstream.start();
  files = await FakeUpstream.start();
  plane = await Plane.start();
  plane.remote('crates', 'cargo', upstream.url).virtual('cargo', 'cargo', ['crates']);
  configure({ dl: `${files.url}/crates`, api: upstream.url });
  publish([line()]);
  files.respond('/crates/Widget/1.0.0/download', { body: crate });
});

afterEach(async () => {
  await plane.stop();
  await upstream.stop();
  await files.stop();
});

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

function line(fields: object = {}): string {
  return JSON.stringify({ name: 'Widget', vers: '1.0.0', deps: [], cksum: sha256(crate), pubtime: PUBTIME, ...fields });
}

function publish(lines: readonly string[]): void {
  const body = lines.map((one) => `${one}\n`).join('');
  upstream.respond(INDEX, { body, headers: { 'content-type': 'text/plain' }, etag: sha256(Buffer.from(body)) });
}

function configure(config: object): void {
  upstream.respond('/config.json', { body: JSON.stringify(config), headers: { 'content-type': 'application/json' } });
}

async function got(path: string): Promise<{ status: number; cache: string | null; digest: string; text: string }> {
  const response = await plane.get(`/cargo${path}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  const cache = response.headers.get('x-cache');
  return { status: response.status, cache, digest: sha256(bytes), text: bytes.toString() };
}

/** A crate's address, as cargo takes it from what we say. */
async function download(version = '1.0.0'): Promise<string> {
  const { dl } = JSON.parse((await got('/config.json')).text) as { dl: string };
  const address = dl.replaceAll('{crate}', 'Widget').replaceAll('{version}', version);
  expect(address.startsWith(`${plane.url}/cargo/`)).toBe(true);
  return address.slice(`${plane.url}/cargo`.length);
}

describe('a registry', () => {
  test('is read cold from wherever its upstream has things, and warm while all of that is away', async () => {
    const path = await download();
    expect(upstream.requests).toEqual([]);
    expect(await got(INDEX)).toMatchObject({ status: 200, cache: 'miss', text: `${line()}\n` });
    expect(await got(path)).toMatchObject({ status: 200, cache: 'miss', digest: sha256(crate) });
    upstream.verify();
    files.verify();
    expect(upstream.requests.map(({ headers }) => headers['accept'])).toEqual(['text/plain', 'text/plain']);

    await upstream.down();
    await files.down();
    expect(await download()).toBe(path);
    expect(await got(INDEX)).toMatchObject({ status: 200, cache: 'hit', text: `${line()}\n` });
    expect(await got(path)).toMatchObject({ status: 200, cache: 'hit', digest: sha256(crate) });
    plane.ahead = 24 * 3600_000;
    expect(await got(INDEX)).toMatchObject({ status: 200, cache: 'stale', text: `${line()}\n` });
    expect(await got(path)).toMatchObject({ status: 200, cache: 'hit', digest: sha256(crate) });
  });

  test('has on record which version a file is, and when the registry published it', async () => {
    await got(CRATE);
    expect(plane.pulls).toMatchObject([
      { package: 'pkg:cargo/Widget', version: '1.0.0', role: 'package', decision: 'allowed' },
    ]);
    // The row follows the last byte.
    await expect
      .poll(() => plane.ledger.object('crates', CRATE.slice(1)))
      .toMatchObject({
        name: 'Widget',
        version: '1.0.0',
        digest: `sha256:${sha256(crate)}`,
        publishedAt: Date.parse(PUBTIME),
        publishedBy: 'server',
      });
  });

  test('answers conditions, ours to clients and the upstream’s to us', async () => {
    const first = await plane.get(`/cargo${INDEX}`);
    const tag = first.headers.get('etag') ?? '';
    expect((await plane.get(`/cargo${INDEX}`, { 'if-none-match': tag })).status).toBe(304);
    plane.ahead = 3600_000;
    const revalidated = await plane.get(`/cargo${INDEX}`, { 'if-none-match': tag });
    expect([revalidated.status, revalidated.headers.get('x-cache')]).toEqual([304, 'revalidated']);
    publish([line(), line({ vers: '1.1.0' })]);
    plane.ahead = 7200_000;
    const changed = await plane.get(`/cargo${INDEX}`, { 'if-none-match': tag });
    expect(await changed.text()).toBe(`${line()}\n${line({ vers: '1.1.0' })}\n`);
  });

  test('answers a client that would rather speak HTTP/2 over plain text, as it asked', async () => {
    const headers = {
      connection: 'Upgrade, HTTP2-Settings',
      upgrade: 'h2c',
      'http2-settings': 'AAMAAABkAAQCAAAAAAIAAAAA',
    };
    for (const path of ['/config.json', INDEX, INDEX]) {
      const answered = await new Promise<string>((resolve, reject) => {
        const asked = request(`${plane.url}/cargo${path}`, { headers }, (response) => {
          text(response).then((body) => resolve(`${response.statusCode} ${body}`), reject);
        });
        asked.on('error', reject).end();
      });
      expect(answered).toMatch(/^200 \{.+\}/);
    }
  });

  test('has lines of several megabytes', async () => {
    const long = line({ vers: '2.0.0', features: { all: [randomBytes(2_000_000).toString('hex')] } });
    publish([line(), long]);
    expect((await got(INDEX)).text).toBe(`${line()}\n${long}\n`);
  });

  test('has what was published after its index was read', async () => {
    await got(INDEX);
    publish([line(), line({ vers: '1.1.0' })]);
    files.respond('/crates/Widget/1.1.0/download', { body: crate });
    expect((await got(await download('1.1.0'))).status).toBe(200);
  });

  test('passes a search on to the upstream’s API', async () => {
    configure({ dl: `${files.url}/crates`, api: `${files.url}/base/` });
    const found = '{"crates":[{"name":"Widget","max_version":"1.0.0","description":"a"}],"meta":{"total":1}}';
    files.respond('/base/api/v1/crates?q=wid%20get&per_page=10', { body: found });
    expect(await got('/api/v1/crates?q=wid%20get&per_page=10')).toMatchObject({ status: 200, text: found });
  });
});

describe('a crate', () => {
  test.each([
    ['/{crate}/{crate}-{version}.crate', '/Widget/Widget-1.0.0.crate'],
    ['/{prefix}/{crate}/{version}', '/Wi/dg/Widget/1.0.0'],
    ['/{lowerprefix}/{crate}/{version}', '/wi/dg/Widget/1.0.0'],
    ['/x?of={crate}&v={version}', '/x?of=Widget&v=1.0.0'],
    ['/{sha256-checksum}', `/${sha256(crate)}`],
  ])('is found by the template %s', async (template, path) => {
    configure({ dl: `${files.url}${template}` });
    files.respond(path, { body: crate });
    expect(await got(await download())).toMatchObject({ status: 200, digest: sha256(crate) });
    expect(files.requests.map((seen) => seen.path)).toEqual([path]);
  });

  test('is fetched with the remote’s credentials from its own host alone', async () => {
    plane.remote('crates', 'cargo', upstream.url, { auth: { type: 'header', name: 'authorization', value: 'sekret' } });
    await got(CRATE);
    expect(upstream.requests.map(({ headers }) => headers['authorization'])).toEqual(['sekret', 'sekret']);
    expect(files.requests.map(({ headers }) => headers['authorization'])).toEqual([undefined]);
  });

  test('with other bytes than its index announces is refused and not kept', async () => {
    files.respond('/crates/Widget/1.0.0/download', { body: 'small and wrong' });
    const answer = await got(CRATE);
    expect(answer.status).toBe(502);
    expect(answer.text).toContain('sent the wrong crates/Widget/Widget-1.0.0.crate');
    expect(await plane.ledger.object('crates', CRATE.slice(1))).toBeUndefined();
    files.respond('/crates/Widget/1.0.0/download', { body: crate });
    expect(await got(CRATE)).toMatchObject({ status: 200, digest: sha256(crate) });
  });

  test('whose index now announces other bytes is not served', async () => {
    await got(CRATE);
    publish([line({ cksum: sha256(Buffer.from('other')) })]);
    plane.ahead = 24 * 3600_000;
    expect((await got(INDEX)).status).toBe(200);
    expect(await got(CRATE)).toMatchObject({ status: 502, text: expect.stringContaining('changed crates/Widget') });
  });

  test.each(['/crates/widget/widget-1.0.0.crate', '/crates/Widget/Widget-9.0.0.crate'])(
    'that its index does not list is not there: %s',
    async (path) => {
      expect((await got(path)).status).toBe(404);
      expect(files.requests).toEqual([]);
    },
  );
});

describe('a package that is withheld', () => {
  const REASON = expect.stringMatching(/^Widget is on the blocklist of "crates" \(\^Widget\$\)\. .+\n$/);

  beforeEach(() => void plane.remote('crates', 'cargo', upstream.url, { blocklist: ['^Widget$'] }));

  test('is refused by its index, with the reason', async () => {
    expect(await got(INDEX)).toMatchObject({ status: 403, text: REASON });
  });

  test.each(SPELLINGS)('is refused by its file, which is not fetched: %s', async (path) => {
    expect(await got(path)).toMatchObject({ status: 403, text: REASON });
    expect(files.requests).toEqual([]);
  });

  test.each(SPELLINGS)('is refused also when its file is here: %s', async (path) => {
    plane.remote('crates', 'cargo', upstream.url);
    expect((await got(path)).status).toBe(200);
    plane.remote('crates', 'cargo', upstream.url, { blocklist: ['^Widget$'] });
    expect(await got(path)).toMatchObject({ status: 403, text: REASON });
  });
});

describe('an upstream', () => {
  test.each([
    [
      'a web page',
      { body: '<!doctype html><title>Sign in</title>', headers: { 'content-type': 'text/html' } },
      'markup',
    ],
    ['half a line', { body: `${line()}\n${line({ vers: '2.0.0' }).slice(0, 50)}` }, 'Line 2'],
    ['another crate’s lines', { body: line({ name: 'gadget' }) }, 'another crate'],
    ['nothing', { body: '' }, 'empty'],
  ])('that sends %s in place of an index does not replace what is here', async (_what, reply, says) => {
    upstream.respond(INDEX, reply);
    expect(await got(INDEX)).toMatchObject({ status: 502, text: expect.stringContaining(says) });
    publish([line()]);
    expect((await got(INDEX)).status).toBe(200);
    upstream.respond(INDEX, reply);
    plane.ahead = 24 * 3600_000;
    expect(await got(INDEX)).toMatchObject({ status: 200, cache: 'stale', text: `${line()}\n` });
  });

  test('whose configuration says nowhere where crates are is named', async () => {
    configure({ api: upstream.url });
    const answer = await got(CRATE);
    expect(answer.status).toBe(502);
    expect(answer.text).toMatch(/"crates".*config\.json.*no usable `dl`/);
  });

  test('that has no such crate says so', async () => {
    upstream.respond('/ga/dg/gadget', { status: 404 });
    expect((await got('/ga/dg/gadget')).status).toBe(404);
    expect((await got('/crates/gadget/gadget-1.0.0.crate')).status).toBe(404);
    expect(upstream.count('/ga/dg/gadget')).toBe(1);
  });
});
