import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../src/cli/main.ts';
import { FakeUpstream } from './support/fake-upstream.ts';
import { TestServer } from './support/test-server.ts';

let upstream: FakeUpstream;
let server: TestServer;
let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'entrepot-home-'));
  upstream = await FakeUpstream.start();
  server = await TestServer.start();
  upstream.respond('/tool-1.0.zip', { body: 'tool' }).respond('/other-1.0.zip', { body: 'other' });
  const generic = { releases: ['^(?<name>[a-z]+)-(?<version>[0-9.]+)\\.zip$'] };
  await server.remote('files', 'generic', upstream.url, {
    generic,
    auth: { type: 'bearer', token: 'upstream-secret' },
  });
  await server.virtual('all', 'generic', ['files']);
  for (const name of ['tool', 'other']) await server.raw(`/all/${name}-1.0.zip`);
});
afterAll(async () => {
  await server.stop();
  await upstream.stop();
  await rm(home, { recursive: true, force: true });
});

async function cli(
  args: string,
  env: Readonly<Record<string, string>> = { ENTREPOT_URL: server.url, ENTREPOT_TOKEN: server.token },
) {
  const [out, err]: [string[], string[]] = [[], []];
  const around = { env, cwd: home, home, out: (text: string) => void out.push(text) };
  const code = await run(args.split(' ').filter(Boolean), around, (text) => void err.push(text));
  return { code, out: out.join(''), err: err.join('') };
}

test('get shows what is declared, as a table, in full, or as JSON', async () => {
  const { code, out } = await cli('get remotes');
  expect(code).toBe(0);
  expect(out).toMatch(/^NAME +FORMAT +ADDRESS +MANAGED BY +REVISION\nfiles +generic +http:\S+\/files +api +\d+\n$/);
  const one = await cli('get remote files');
  expect(one.out).toContain('name: files');
  expect(one.out).not.toContain('upstream-secret');
  expect(JSON.parse((await cli('--json get virtual all')).out)).toMatchObject({
    name: 'all',
    spec: { members: ['files'] },
  });
});

test('pulls shows the audit log', async () => {
  const { out } = await cli('pulls --purl pkg:generic/tool');
  expect(out.trimEnd().split('\n')).toHaveLength(2);
  expect(out).toMatch(/pkg:generic\/tool@1\.0 +all +miss +anonymous/);
  expect((await cli('pulls --limit 1')).out).toMatch(/more: --after [0-9a-f-]{36}\n$/);
  expect((await cli('pulls --format csv')).out).toMatch(/^id,at,.*\r\n/);
  const lines = (await cli('pulls --format ndjson --repository all')).out.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line).path)).toEqual(['other-1.0.zip', 'tool-1.0.zip']);
});

test('probe says what the upstream answers, and fails when it does not', async () => {
  const { code, out } = await cli('probe files tool-1.0.zip');
  expect(code).toBe(0);
  expect(out).toMatch(/^200 http:\S+\/tool-1\.0\.zip\nfirst byte after \d+ ms; immutable; allowed\n/);
  await upstream.down();
  const failed = await cli('probe files tool-1.0.zip');
  await upstream.up();
  expect(failed.code).toBe(1);
  expect(failed.err).toMatch(/^entrepot: .*127\.0\.0\.1/);
});

test('stats and evict say how much there is and how much went', async () => {
  expect((await cli('stats')).out).toMatch(
    /^2 objects, 2 blobs, .*\nunreferenced: 0 B, .*\nREPOSITORY +OBJECTS +SIZE +LIMIT\nfiles +2 +9 B +-\n$/s,
  );
  expect((await cli('evict files --purl pkg:generic/tool')).out).toBe('evicted 1 object, 4 B\n');
  expect((await cli('evict files --all')).out).toBe('evicted 1 object, 5 B\n');
});

test('the token of a server on this machine is found in its data folder, and sent nowhere else', async () => {
  expect((await cli('stats', { ENTREPOT_URL: server.url, ENTREPOT_DATA: server.data })).code).toBe(0);
  const { code, err } = await cli('stats', { ENTREPOT_URL: server.url });
  expect(code).toBe(1);
  expect(err).toBe(
    `entrepot: ${server.url} wants the admin token, and no token was sent: set ENTREPOT_TOKEN, or ENTREPOT_DATA to the server's data folder\n`,
  );
  expect((await cli('stats', { ENTREPOT_URL: server.url, ENTREPOT_TOKEN: 'other' })).err).toContain(
    'the token is not the right one',
  );
});

test.each([
  ['get nothings', 1, 'there is no kind of resource called nothings; known are remote, '],
  ['get remote nobody', 1, 'there is no remote called "nobody"'],
  ['pulls --purl express', 1, 'purl must be a package URL'],
  ['--url http://127.0.0.1:1 stats', 1, 'there is no answer from http://127.0.0.1:1'],
  ['--url nowhere stats', 1, 'nowhere is no address'],
  ['gte remotes', 2, "error: unknown command 'gte'"],
  ['get', 2, "missing required argument 'kind'"],
  ['evict files', 2, 'one of --path, --prefix, --purl, --all says what to evict'],
  ['evict files --all --path x', 2, 'cannot be used with'],
  ['pulls --decision maybe', 2, 'Allowed choices are allowed, refused'],
  ['config --lisen=x', 1, 'flag --lisen is not known'],
])('%s ends with %i and says why', async (args, code, words) => {
  const ended = await cli(args);
  expect(ended.code).toBe(code);
  expect(ended.err).toContain(words);
  expect(ended.out).toBe('');
});

test('config shows every setting, where it comes from, and no secret', async () => {
  const { code, out } = await cli('config --listen 127.0.0.1:9 --admin-token a-very-secret-token', {
    ENTREPOT_LOG_LEVEL: 'warn',
  });
  expect(code).toBe(0);
  expect(out).toMatch(/^listen +127\.0\.0\.1:9 +flag --listen$/m);
  expect(out).toMatch(/^log\.level +warn +environment ENTREPOT_LOG_LEVEL$/m);
  expect(out).not.toContain('a-very-secret-token');
  const settings = JSON.parse((await cli('config --json')).out);
  expect(settings).toContainEqual({ key: 'anonymous', value: 'read', origin: 'default' });
});

test('help and version are no failures', async () => {
  const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
  expect(await cli('--version')).toMatchObject({ code: 0, out: `${version}\n` });
  expect((await cli('--help')).out).toContain('Exit codes: 0 it worked, 1 it did not, 2 it was not understood.');
  expect((await cli('serve --help')).out).toContain('--listen');
});
