import { hash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { moduleZip, publishModule } from '../support/go-module.ts';
import { Plane } from '../support/plane.ts';

const MINUTE = 60_000;
const YEAR = 365 * 24 * 60 * MINUTE;
const MODULE = 'github.com/!burnt!sushi/toml';
const NAME = 'github.com/BurntSushi/toml';
const PSEUDO = 'v1.2.1-0.20240526193622-a339e1f7089c';
const SUMS = 'sumdb/sums.test';
const LOOKUP = `${SUMS}/lookup/${MODULE}@v1.0.0`;
const TREE = 'go.sum database tree\n9\nKknkYm4hx0y71VQ4E6FoF3fdumxzXU5QwTwo+kVX+2I=\n\n— sums.test Az3grmKW8+LoW5b5\n';
const RECORD = `7\n${NAME} v1.0.0 h1:W5quZX/G/csjUnuI8SUYlsHs9M38FC7znL0lIO+DvMg=\n\n${TREE}`;

const one = { version: 'v1.0.0', zip: randomBytes(200_000) };
const two = { version: 'v1.1.0', zip: randomBytes(1000) };
const commit = { version: PSEUDO, zip: randomBytes(1000), unlisted: true };

let upstream: FakeUpstream;
let plane: Plane;

beforeEach(async () => {
  upstream = await FakeUpstream.start();
  plane = await Plane.start();
  plane
    .remote('go-public', 'go', upstream.url, { index_ttl: '5m', stale_if_error: '1d' })
    .virtual('go', 'go', ['go-public']);
  publishModule(upstream, MODULE, [one, two, commit]);
});

afterEach(async () => {
  await plane.stop();
  await upstream.stop();
});

const get = async (path: string, repository = 'go') => {
  const response = await plane.get(`/${repository}/${path}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  const { status, headers } = response;
  return { status, type: headers.get('content-type'), cache: headers.get('x-cache'), bytes, text: bytes.toString() };
};
const file = (version: string, extension: string) => `${MODULE}/@v/${version}.${extension}`;
const module = [`${MODULE}/@v/list`, file('v1.0.0', 'info'), file('v1.0.0', 'mod'), file('v1.0.0', 'zip')];

describe('a module', () => {
  test('is as the upstream has it, asked for once', async () => {
    for (const state of ['miss', 'hit']) {
      const [list, info, mod, zip] = await Promise.all(module.map((path) => get(path)));
      expect(list).toMatchObject({ status: 200, type: 'text/plain; charset=utf-8', text: 'v1.0.0\nv1.1.0\n' });
      expect(info).toMatchObject({ status: 200, type: 'application/json' });
      expect(info?.text).toBe('{"Version":"v1.0.0","Time":"2026-01-01T00:00:00Z"}');
      expect(mod).toMatchObject({ status: 200, type: 'text/plain; charset=utf-8', text: `module ${MODULE}\n` });
      expect(zip).toMatchObject({ status: 200, type: 'application/zip', cache: state });
      expect(zip?.bytes).toEqual(one.zip);
    }
    for (const path of module) expect(upstream.count(`/${path}`)).toBe(1);
  });

  test('is found however its capitals are written in the address', async () => {
    expect((await get(`${MODULE.replaceAll('!', '%21')}/@v/v1.0.0.zip`)).bytes).toEqual(one.zip);
    const response = await get(`${NAME}/@v/list`);
    expect(response.status).toBe(400);
    expect(response.text).toContain('"!"');
  });

  test('is on record by its own name, with the time its author gave', async () => {
    for (const path of module) await get(path);
    expect(plane.pulls.map(({ path, role }) => [path, role])).toEqual([
      [module[2], 'metadata'],
      [module[3], 'package'],
    ]);
    expect(plane.pulls.at(-1)).toMatchObject({ package: `pkg:golang/${NAME}`, version: 'v1.0.0' });
    await expect
      .poll(() => plane.ledger.object('go-public', module[3] as string))
      .toMatchObject({
        publishedAt: Date.UTC(2026, 0, 1),
        publishedBy: 'author',
      });
  });

  test('is dated by the server that had it first, where that says since when', async () => {
    const body = '{"Version":"v1.0.0","Time":"2026-01-01T00:00:00Z"}';
    upstream.respond(`/${file('v1.0.0', 'info')}`, { body, lastModified: 'Wed, 01 Jul 2026 10:00:00 GMT' });
    await get(file('v1.0.0', 'zip'));
    await expect
      .poll(() => plane.ledger.object('go-public', file('v1.0.0', 'zip')))
      .toMatchObject({
        publishedAt: Date.UTC(2026, 6, 1, 10),
        publishedBy: 'server',
      });
  });

  test('that was pulled needs no upstream, and a version of it is never asked for again', async () => {
    for (const path of module) await get(path);
    await upstream.down();
    plane.ahead = 12 * 60 * MINUTE;
    for (const path of module) expect((await get(path)).status).toBe(200);
    plane.ahead = YEAR;
    for (const path of module.slice(1)) expect(await get(path)).toMatchObject({ status: 200, cache: 'hit' });
    expect((await get(`${MODULE}/@v/list`)).status).toBe(502);
  });

  test('of a commit is described by itself, without being in any list', async () => {
    expect((await get(file(PSEUDO, 'zip'))).bytes).toEqual(commit.zip);
    expect(plane.pulls.at(-1)).toMatchObject({ package: `pkg:golang/${NAME}`, version: PSEUDO });
    upstream.respond(`/${MODULE}/@v/master.info`, { body: `{"Version":"${PSEUDO}"}` });
    expect((await get(`${MODULE}/@v/master.info`)).text).toBe(`{"Version":"${PSEUDO}"}`);
    upstream.respond(`/${MODULE}/@v/master.info`, { body: '{"Version":"v1.1.0"}' });
    plane.ahead = 60 * MINUTE;
    expect((await get(`${MODULE}/@v/master.info`)).text).toBe('{"Version":"v1.1.0"}');
  });

  test('is had by its list where an upstream describes no version', async () => {
    upstream.respond(`/${file('v1.0.0', 'info')}`, { status: 404, body: 'no\n' });
    expect((await get(file('v1.0.0', 'zip'))).bytes).toEqual(one.zip);
  });
});

describe('what is not there', () => {
  test.each([404, 410])(
    'is %i as the upstream says, in plain words, so that the go command asks the next one',
    async (status) => {
      const absent = 'example.com/none';
      for (const path of ['@v/list', '@latest', '@v/v1.0.0.info']) {
        upstream.respond(`/${absent}/${path}`, { status, body: 'not found: no such module\n' });
        expect(await get(`${absent}/${path}`)).toMatchObject({ status, type: 'text/plain; charset=utf-8' });
      }
      expect((await get(`${absent}/@v/v1.0.0.zip`)).status).toBe(404);
      expect(upstream.count(`/${absent}/@v/v1.0.0.zip`)).toBe(0);
    },
  );

  test('is not what an upstream that cannot say has', async () => {
    upstream.quirk('*', { kind: 'status', status: 500 });
    for (const path of module) expect((await get(path)).status).toBe(502);
  });
});

describe('a file that is wrong', () => {
  test.each([
    ['breaks off', { kind: 'truncated' }],
    ['says a longer length', { kind: 'wrong_length', by: 100 }],
    ['is dropped', { kind: 'drop' }],
    ['is a login page', { kind: 'login_page' }],
  ] as const)('because it %s is not kept', async (_what, quirk) => {
    upstream.quirk(`/${file('v1.0.0', 'zip')}`, quirk);
    const got = await get(file('v1.0.0', 'zip')).catch(() => undefined);
    expect(got?.status).not.toBe(200);
    expect(await plane.ledger.object('go-public', file('v1.0.0', 'zip'))).toBeUndefined();
    upstream.calm();
    expect((await get(file('v1.0.0', 'zip'))).bytes).toEqual(one.zip);
  });

  test('does not replace what was right: a list, a description, a tile', async () => {
    const tile = `${SUMS}/tile/8/0/000.p/2`;
    upstream.respond(`/${tile}`, { body: Buffer.alloc(64, 1) });
    for (const path of [`${MODULE}/@v/list`, file('v1.0.0', 'info'), tile]) {
      upstream.quirk('*', { kind: 'login_page' });
      expect((await get(path)).status).toBe(502);
      upstream.calm();
      expect((await get(path)).status).toBe(200);
      upstream.quirk('*', { kind: 'login_page' });
      plane.ahead += 60 * MINUTE;
      expect((await get(path)).status).toBe(200);
      upstream.calm();
    }
  });
});

describe('a checksum database', () => {
  const tile = Buffer.alloc(8192, 7);
  const said: readonly (readonly [string, string | Buffer])[] = [
    [`${SUMS}/supported`, ''],
    [`${SUMS}/latest`, TREE],
    [LOOKUP, RECORD],
    [`${SUMS}/tile/8/0/x001/067`, tile],
    [`${SUMS}/tile/8/0/x001/068.p/3`, tile.subarray(0, 96)],
  ];

  beforeEach(() => {
    for (const [path, body] of said) upstream.respond(`/${path}`, { body });
  });

  test('passes untouched, and what is settled is asked for once', async () => {
    for (const [path, body] of said) expect((await get(path)).bytes).toEqual(Buffer.from(body));
    upstream.respond(`/${SUMS}/latest`, { body: TREE.replace('\n9\n', '\n10\n') });
    plane.ahead = 60 * MINUTE;
    for (const [path] of said) expect((await get(path)).status).toBe(200);
    expect((await get(`${SUMS}/latest`)).text).toContain('\n10\n');
    for (const [path] of said.slice(2)) expect(upstream.count(`/${path}`)).toBe(1);
    expect(plane.pulls).toEqual([]);
  });

  test('goes on without the upstream', async () => {
    for (const [path] of said) await get(path);
    await upstream.down();
    plane.ahead = 12 * 60 * MINUTE;
    for (const [path, body] of said) expect((await get(path)).bytes).toEqual(Buffer.from(body));
    plane.ahead = YEAR;
    for (const [path, body] of said.slice(2)) expect((await get(path)).bytes).toEqual(Buffer.from(body));
  });

  test('that the upstream does not have is 404: the go command goes to it by itself', async () => {
    upstream.respond(`/${SUMS}/supported`, { status: 404, body: 'no\n' });
    expect((await get(`${SUMS}/supported`)).status).toBe(404);
  });

  test('is there also where a remote admits only some modules', async () => {
    plane.remote('go-public', 'go', upstream.url, { patterns: ['^example\\.com/'] });
    for (const [path] of said) expect((await get(path)).status).toBe(200);
    expect((await get(`${MODULE}/@v/list`)).status).toBe(403);
  });
});

describe('a zip and its record in the checksum database', () => {
  /** As `go mod download -json` says it of these files. */
  const SUM = 'h1:OXBr/ykFnnfyYfheuPBgR6zjdJtfvgMo1tX3VQQrxBw=';
  const ZIP = file('v1.0.0', 'zip');
  const bulk = Buffer.concat(Array.from({ length: 3200 }, (_, at) => hash('sha512', String(at), 'buffer')));
  const files = {
    'go.mod': `module ${NAME}\n`,
    'toml.go': 'package toml\n',
    'Z.go': 'package toml\n',
    'é.txt': 'é',
    bulk,
  };
  let right: Buffer;
  let wrong: Buffer;

  const publishes = (zip: Buffer) => publishModule(upstream, MODULE, [{ version: 'v1.0.0', zip }]);
  const records = (sum: string, database = SUMS) =>
    upstream.respond(`/${database}/lookup/${MODULE}@v1.0.0`, { body: RECORD.replace(/h1:\S+/, sum) });
  const download = async () => hash('sha256', (await get(ZIP)).bytes);
  const kept = () => plane.ledger.object('go-public', ZIP);
  const usesDatabase = async () => {
    upstream.respond(`/${SUMS}/supported`, { body: '' });
    expect((await get(`${SUMS}/supported`)).status).toBe(200);
  };
  const looksUp = async () => expect((await get(LOOKUP)).status).toBe(200);

  beforeEach(async () => {
    right = await moduleZip(NAME, 'v1.0.0', files);
    wrong = await moduleZip(NAME, 'v1.0.0', { ...files, 'toml.go': 'package evil\n' });
    records(SUM);
  });

  test('agree, however it is packed', async () => {
    await looksUp();
    const otherwise = await moduleZip(NAME, 'v1.0.0', Object.fromEntries(Object.entries(files).reverse()), {
      compress: false,
    });
    for (const zip of [right, otherwise]) {
      publishes(zip);
      expect(await download()).toBe(hash('sha256', zip));
      await plane.engine.evict({ repository: 'go-public', path: ZIP });
    }
  });

  test.each([
    ['of other files', async () => wrong],
    ['with one more', () => moduleZip(NAME, 'v1.0.0', { ...files, more: '' })],
    ['of another version', () => moduleZip(NAME, 'v1.0.1', files)],
    ['that is none', async () => randomBytes(200_000)],
    ['whose directory is damaged', async () => Buffer.concat([right.subarray(0, -40), Buffer.alloc(40)])],
  ])('do not: a zip %s never completes, and is not kept', async (_what, made) => {
    await looksUp();
    publishes(await made());
    await expect(download()).rejects.toThrow();
    expect(await kept()).toBeUndefined();
    expect(plane.logged).toContainEqual({ level: 'warn', message: 'a fetch failed' });
    publishes(right);
    expect(await download()).toBe(hash('sha256', right));
  });

  test('do not: a small one is refused in words', async () => {
    await looksUp();
    publishes(await moduleZip(NAME, 'v1.0.0', { 'go.mod': `module ${NAME}\n` }));
    const { status, text } = await get(ZIP);
    expect(status).toBe(502);
    expect(text).toContain(`the wrong ${ZIP}: its contents are h1:`);
    expect(text).toContain(`${SUM} is on record`);
    expect(await kept()).toBeUndefined();
  });

  test('are compared also where the client does not ask, once some client has asked for anything there', async () => {
    await usesDatabase();
    publishes(wrong);
    await expect(download()).rejects.toThrow();
    expect(upstream.count(`/${LOOKUP}`)).toBe(1);
    publishes(right);
    expect(await download()).toBe(hash('sha256', right));
    expect(upstream.count(`/${LOOKUP}`)).toBe(1);
  });

  test('are compared after a start too, by whichever database has a record', async () => {
    upstream.respond('/sumdb/a.test/supported', { body: '' });
    await get('sumdb/a.test/supported');
    await usesDatabase();
    plane.remote('go-public', 'go', upstream.url, { index_ttl: '6m' });
    publishes(wrong);
    await expect(download()).rejects.toThrow();
    expect(upstream.count(`/sumdb/a.test/lookup/${MODULE}@v1.0.0`)).toBe(1);
    expect(await kept()).toBeUndefined();
  });

  test.each([404, 410, 403, 500])('are not where the database answers %i: the zip is served', async (status) => {
    await usesDatabase();
    upstream.respond(`/${LOOKUP}`, { status, body: 'no\n' });
    publishes(wrong);
    expect(await download()).toBe(hash('sha256', wrong));
    await expect.poll(kept).toBeDefined();
  });

  test('are not where no client uses a database: none is asked', async () => {
    publishes(wrong);
    expect(await download()).toBe(hash('sha256', wrong));
    expect(upstream.requests.filter(({ path }) => path.startsWith('/sumdb/'))).toEqual([]);
  });

  test('come to disagree when the record is had later: the zip is refused from then on', async () => {
    publishes(wrong);
    for (const _ of ['miss', 'hit', 'hit']) expect(await download()).toBe(hash('sha256', wrong));
    await looksUp();
    await expect.poll(async () => (await kept())?.disputed).toBe(SUM);
    expect(plane.logged).toContainEqual({ level: 'error', message: 'a file is not what is on record' });
    const { status, text } = await get(ZIP);
    expect(status).toBe(502);
    expect(text).toContain(`is not what is on record, ${SUM}`);
    await plane.engine.evict({ repository: 'go-public', path: ZIP });
    publishes(right);
    expect(await download()).toBe(hash('sha256', right));
  });

  test('come to disagree: the zip is served where on_mutation says so, also when the upstream has it unchanged', async () => {
    plane.remote('go-public', 'go', upstream.url, { on_mutation: 'serve_first', artifact_ttl: '1h' });
    publishes(wrong);
    expect(await download()).toBe(hash('sha256', wrong));
    await looksUp();
    await expect.poll(async () => (await kept())?.disputed).toBe(SUM);
    plane.ahead += 3 * 60 * MINUTE;
    expect(await download()).toBe(hash('sha256', wrong));
    expect(await kept()).toMatchObject({ disputed: SUM });
  });
});

describe('what is withheld', () => {
  const says = `${NAME} is on the blocklist of "go-public" (`;

  test('as a module is refused by every way to it, in words that the go command prints', async () => {
    plane.remote('go-public', 'go', upstream.url, { blocklist: [`^${NAME}$`] });
    const ways = [...module, `${MODULE}/@latest`, file(PSEUDO, 'info'), file(PSEUDO, 'mod'), file(PSEUDO, 'zip')];
    for (const path of ways) {
      for (const repository of ['go', 'go-public']) {
        const { status, type, text } = await get(path, repository);
        expect({ path, status, type }).toEqual({ path, status: 403, type: 'text/plain; charset=utf-8' });
        expect(text).toContain(says);
      }
    }
    expect(upstream.requests.filter(({ path }) => /\.(zip|mod)$/.test(path))).toEqual([]);
    expect(plane.pulls.every(({ decision, rule }) => decision === 'refused' && rule === 'go-public.blocklist')).toBe(
      true,
    );
  });

  test.each(['/@v/v1\\.1\\.0\\.', '/@v/v1\\.1\\.0\\.zip$'])('as a version (%s) is in no answer', async (pattern) => {
    publishModule(upstream, MODULE, [one, commit, two]);
    plane.remote('go-public', 'go', upstream.url, { blocklist: [pattern] });
    expect((await get(`${MODULE}/@v/list`)).text).toBe('v1.0.0\n');
    expect((await get(`${MODULE}/@latest`)).text).toBe('{"Version":"v1.0.0"}');
    for (const extension of ['info', 'zip']) {
      const { status, text } = await get(file('v1.1.0', extension));
      expect({ extension, status }).toEqual({ extension, status: 403 });
      expect(text).toContain(says);
    }
    expect((await get(file('v1.0.0', 'zip'))).bytes).toEqual(one.zip);
  });
});

test('a name belongs to the first member that lists it, also for versions it does not have', async () => {
  const inner = await FakeUpstream.start();
  publishModule(inner, 'corp.test/lib', [one]);
  inner.respond('/corp.test/lib/@v/v1.1.0.info', { status: 404, body: 'no\n' });
  for (const path of module.slice(0, 2)) inner.respond(`/${path}`, { status: 404, body: 'no\n' });
  publishModule(upstream, 'corp.test/lib', [two]);
  plane.remote('inner', 'go', inner.url).virtual('both', 'go', ['inner', 'go-public']);
  expect((await get('corp.test/lib/@v/list', 'both')).text).toBe('v1.0.0\n');
  expect((await get('corp.test/lib/@v/v1.1.0.zip', 'both')).status).toBe(404);
  expect((await get(file('v1.0.0', 'zip'), 'both')).bytes).toEqual(one.zip);
  await inner.stop();
});
