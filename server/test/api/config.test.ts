import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { TestServer } from '../support/test-server.ts';

const URL = 'https://upstream.test';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());
beforeEach(async () => {
  const { body } = await server.get('/api/v2/config');
  const changes = body.resources.map(({ kind, name }: { kind: string; name: string }) => ({
    op: 'delete',
    kind,
    name,
  }));
  expect((await server.post('/api/v2/config', changes)).status).toBe(200);
});

const put = (kind: string, name: string, spec: object = {}, extra: object = {}) => ({
  op: 'put',
  kind,
  name,
  spec: { name, format: 'npm', ...(kind === 'remote' ? { url: URL } : { members: ['a'] }), ...spec },
  ...extra,
});

test('every declared resource is in one document, whose tag changes with each of them', async () => {
  const empty = await server.get('/api/v2/config');
  expect(empty.body.resources).toEqual([]);
  await server.post('/api/v2/config', [put('virtual', 'v'), put('remote', 'a')]);
  const full = await server.get('/api/v2/config');
  expect(full.body.resources.map(({ kind, name }: { kind: string; name: string }) => `${kind} ${name}`)).toEqual([
    'remote a',
    'virtual v',
  ]);
  expect(full.body.resources[0].spec).toEqual(put('remote', 'a').spec);
  expect(full.headers['etag']).toBe(`"${full.body.revision}"`);
  expect(full.headers['etag']).not.toBe(empty.headers['etag']);

  const unchanged = await server.get('/api/v2/config', { headers: { 'if-none-match': String(full.headers['etag']) } });
  expect(unchanged.status).toBe(304);
  expect(unchanged.text).toBe('');

  await server.delete('/api/v2/virtuals/v');
  const deleted = await server.get('/api/v2/config', { headers: { 'if-none-match': String(full.headers['etag']) } });
  expect(deleted.status).toBe(200);
});

test('a set is made whole, in whatever order it came, and answered in that order', async () => {
  const { status, body, headers } = await server.post('/api/v2/config', [
    put('virtual', 'v', { members: ['a', 'b'] }),
    put('remote', 'b'),
    put('remote', 'a'),
  ]);
  expect(status).toBe(200);
  expect(body.outcomes.map(({ name, changed }: { name: string; changed: boolean }) => [name, changed])).toEqual([
    ['v', true],
    ['b', true],
    ['a', true],
  ]);
  expect(body.outcomes[0].resource.status.repository_url).toBe(`${server.url}/v`);
  expect(headers['etag']).toBe(`"${body.revision}"`);
});

test('one wrong change and nothing is made', async () => {
  const { status, body } = await server.post('/api/v2/config', [
    put('remote', 'a'),
    put('remote', 'b', { index_ttl: 'soon' }),
  ]);
  expect(status).toBe(400);
  expect(body.errors).toEqual([{ path: [1, 'spec', 'index_ttl'], message: expect.stringContaining('duration') }]);
  expect((await server.get('/api/v2/config')).body.resources).toEqual([]);
});

test('where each stands for itself, each gets its answer', async () => {
  const { status, body } = await server.post('/api/v2/config?atomic=false', [
    put('remote', 'b', { format: 'x' }),
    put('virtual', 'v'),
    put('remote', 'a'),
  ]);
  expect(status).toBe(200);
  expect(body.outcomes.map(({ changed }: { changed: boolean }) => changed)).toEqual([false, true, true]);
  expect(body.outcomes[0].problem).toMatchObject({ code: 'invalid', errors: [{ path: ['format'] }] });
});

test('a retry with its key is answered as the first time', async () => {
  const create = [put('remote', 'a', {}, { if_match: 'absent', key: 'create-a' })];
  const first = await server.post('/api/v2/config', create);
  expect((await server.post('/api/v2/config', create)).body.outcomes).toEqual(first.body.outcomes);
  expect((await server.post('/api/v2/config', [put('remote', 'a', {}, { if_match: 'absent' })])).status).toBe(412);
  expect((await server.post('/api/v2/config', [put('remote', 'b', {}, { key: 'create-a' })])).status).toBe(409);
});

test('a dry run of a set changes nothing', async () => {
  const { body } = await server.post('/api/v2/config?dry_run=true', [put('remote', 'a'), put('virtual', 'v')]);
  expect(body.outcomes).toHaveLength(2);
  expect((await server.get('/api/v2/config')).body.resources).toEqual([]);
});

test.each([
  ['an object', {}, []],
  ['nothing', 'null', []],
  ['something that is no change', [1], [0]],
  ['an unknown op', [{ op: 'patch', kind: 'remote', name: 'a' }], [0, 'op']],
  ['an unknown kind', [{ op: 'delete', kind: 'remotes', name: 'a' }], [0, 'kind']],
  ['an unknown field', [{ ...put('remote', 'a'), ifmatch: 1 }], [0, 'ifmatch']],
  ['a wrong revision', [{ ...put('remote', 'a'), if_match: '7' }], [0, 'if_match']],
  ['the same resource twice', [put('remote', 'a'), { op: 'delete', kind: 'remote', name: 'a' }], [1, 'name']],
  ['a delete with a spec', [{ op: 'delete', kind: 'remote', name: 'a', spec: {} }], [0, 'spec']],
])('a body that is %s is refused', async (_, body, path) => {
  const answer = await server.post('/api/v2/config', body);
  expect(answer.status).toBe(400);
  expect(answer.body.errors[0].path).toEqual(path);
});
