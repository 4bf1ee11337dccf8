import { afterAll, beforeAll, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { TestServer } from '../support/test-server.ts';

let upstream: FakeUpstream;
let server: TestServer;

/** One upstream, three packages, seven pulls: four of them of `tool`, one refused. */
beforeAll(async () => {
  upstream = await FakeUpstream.start();
  server = await TestServer.start();
  const generic = { releases: ['^(?<name>[a-z]+)-(?<version>[0-9.+a-z]+)\\.zip$'] };
  await server.remote('files', 'generic', upstream.url, { generic, blocklist: ['^evil'] });
  await server.virtual('all', 'generic', ['files']);
  for (const path of ['tool-1.0.zip', 'tool-2.0+cu1.zip', 'other-1.0.zip', 'notes.txt'])
    upstream.respond(`/${path}`, { body: path });
  const asked = [
    'files/tool-1.0.zip',
    'all/tool-1.0.zip',
    'all/tool-1.0.zip',
    'all/tool-2.0+cu1.zip',
    'all/other-1.0.zip',
    'all/evil-1.0.zip',
    'files/notes.txt',
  ];
  for (const path of asked) await server.raw(`/${path}`, { headers: { 'user-agent': '=cmd|"quoted", agent' } });
});
afterAll(async () => {
  await server.stop();
  await upstream.stop();
});

const paths = async (query: string): Promise<string[]> => {
  const { status, body } = await server.get(`/api/v2/pulls?${query}`);
  expect([status, body]).toEqual([200, expect.anything()]);
  return body.items.map(({ path }: { path: string }) => path);
};

test('pulls come newest first, each with who, what and whence', async () => {
  const { body } = await server.get('/api/v2/pulls');
  expect(body.items.map(({ path }: { path: string }) => path)).toEqual([
    'notes.txt',
    'evil-1.0.zip',
    'other-1.0.zip',
    'tool-2.0+cu1.zip',
    'tool-1.0.zip',
    'tool-1.0.zip',
    'tool-1.0.zip',
  ]);
  expect(body.items[4]).toMatchObject({
    repository: 'all',
    format: 'generic',
    member: 'files',
    purl: 'pkg:generic/tool@1.0',
    role: 'package',
    size: 12,
    cache: 'hit',
    decision: 'allowed',
    principal: 'anonymous',
    client: '=cmd|"quoted", agent',
    address: '127.0.0.1',
  });
  expect(body.items[1]).toMatchObject({ decision: 'refused', cache: 'none', rule: expect.any(String) });
});

test.each([
  ['purl=pkg:generic/tool', 4],
  ['purl=pkg:generic/tool@1.0', 3],
  ['purl=pkg:generic/tool@2.0%2Bcu1', 1],
  ['purl=pkg:generic/tool@2.0%252Bcu1', 1],
  ['purl=pkg:generic/tool@2.0+cu1', 1],
  ['purl=pkg:generic/tool@3.0', 0],
  ['purl=pkg:generic/too', 0],
  ['repository=files', 2],
  ['repository=all&purl=pkg:generic/tool', 3],
  ['decision=refused', 1],
  ['decision=allowed', 6],
  ['principal=anonymous', 7],
  ['principal=admin', 0],
  ['consumer=ci', 0],
  ['since=2000-01-01T00:00:00Z', 7],
  ['since=2000-01-01', 7],
  ['until=2000-01-01T00:00:00%2B02:00', 0],
  ['until=2000-01-01T00:00:00+02:00', 0],
])('%s finds %i', async (query, count) => {
  expect(await paths(query)).toHaveLength(count);
});

test('a digest finds every pull of those bytes', async () => {
  const { body } = await server.get('/api/v2/pulls?purl=pkg:generic/other');
  const { digest } = body.items[0];
  expect(await paths(`digest=${digest}`)).toEqual(['other-1.0.zip']);
  expect(await paths(`digest=${digest.toUpperCase().replace('SHA256', 'sha256')}`)).toEqual(['other-1.0.zip']);
});

test('page follows page without gap or repetition', async () => {
  const all = await paths('');
  const found: string[] = [];
  let after = '';
  for (;;) {
    const { body } = await server.get(`/api/v2/pulls?limit=2${after}`);
    found.push(...body.items.map(({ path }: { path: string }) => path));
    if (body.next === undefined) break;
    after = `&after=${body.next}`;
  }
  expect(found).toEqual(all);
});

test('as NDJSON there is one pull a line, all of them unless a limit is set', async () => {
  const { text, type } = await server.get('/api/v2/pulls', { headers: { accept: 'application/x-ndjson' } });
  expect(type).toBe('application/x-ndjson');
  const rows = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(rows).toEqual((await server.get('/api/v2/pulls')).body.items);
  const limited = await server.get('/api/v2/pulls?limit=2', { headers: { accept: 'application/x-ndjson' } });
  expect(limited.text.trimEnd().split('\n')).toHaveLength(2);
});

test('as CSV it is safe to open in a spreadsheet', async () => {
  const { text, type } = await server.get('/api/v2/pulls?purl=pkg:generic/other', { headers: { accept: 'text/csv' } });
  expect(type).toBe('text/csv');
  const [header, row, end] = text.split('\r\n');
  expect(header).toMatch(/^id,at,repository,format,purl,path,role,digest,/);
  expect(row).toContain(`,pkg:generic/other@1.0,other-1.0.zip,`);
  expect(row).toContain(`,"'=cmd|""quoted"", agent",`);
  expect(end).toBe('');
});

test('an unknown type is answered with JSON', async () => {
  expect((await server.get('/api/v2/pulls', { headers: { accept: 'image/png' } })).type).toBe('application/json');
});

test.each([
  ['purl=express', 'purl'],
  ['purl=pkg:npm/', 'purl'],
  ['purl=pkg:npm/a%2500b', 'purl'],
  ['purl=pkg:npm/a?x=y', 'purl'],
  ['digest=abc', 'digest'],
  ['decision=maybe', 'decision'],
  ['since=yesterday', 'since'],
  ['since=2000-13-01', 'since'],
  ['since=2001-01-01&until=2000-01-01', 'until'],
  ['after=garbage', 'after'],
  ['limit=100000', 'limit'],
  ['packge=x', 'packge'],
])('%s is refused', async (query, at) => {
  const { status, body } = await server.get(`/api/v2/pulls?${query}`);
  expect(status).toBe(400);
  expect(body.errors[0].path).toEqual([at]);
});

test('the overview counts what there is', async () => {
  const { body } = await server.get('/api/v2/stats');
  expect(body).toMatchObject({ objects: 4, blobs: 4, pulls: 7, by_repository: [{ repository: 'files', objects: 4 }] });
});
