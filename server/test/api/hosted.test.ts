import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestServer } from '../support/test-server.ts';

const KEYS = ['a', 'b', 'c'].map((digit) => digit.repeat(32));
const spec = (name: string, more: object = {}) => ({ name, format: 'gradle-cache', ...more });

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

async function publish(name: string): Promise<void> {
  for (const key of KEYS) {
    const init = { method: 'PUT', body: `${key} of ${name}`, headers: { authorization: `Bearer ${server.token}` } };
    expect((await fetch(`${server.url}/${name}/${key}`, init)).status).toBe(201);
  }
}

test('a hosted repository is created, read, listed, replaced and deleted by its name', async () => {
  const declared = spec('life', { max_size: '1GB', max_age: '30d', labels: { team: 'builds' } });
  const created = await server.post('/api/v2/hosted', declared);
  expect(created.status).toBe(201);
  expect(created.body).toMatchObject({ spec: declared, status: { repository_url: `${server.url}/life` } });
  expect((await server.get('/api/v2/hosted/life')).body).toEqual(created.body);
  expect((await server.get('/api/v2/hosted?format=gradle-cache&label=team=builds')).body.items).toEqual([created.body]);
  const replaced = await server.put('/api/v2/hosted/life', { ...declared, max_size: '2GB' });
  expect([replaced.status, replaced.body.spec.max_size]).toEqual([200, '2GB']);
  expect((await server.put('/api/v2/hosted/life', { ...declared, deletion_protection: true })).status).toBe(200);
  expect((await server.delete('/api/v2/hosted/life')).status).toBe(409);
  await server.put('/api/v2/hosted/life', declared);
  expect((await server.delete('/api/v2/hosted/life')).status).toBe(204);
  expect((await server.get('/api/v2/hosted/life')).status).toBe(404);
});

test('only a format that can be published to has hosted repositories, and one without an upstream has no remotes', async () => {
  const hosted = await server.post('/api/v2/hosted', { name: 'x', format: 'debian' });
  expect([hosted.status, hosted.body.detail]).toEqual([
    400,
    expect.stringContaining('must be one of npm, pypi, gradle-cache, generic'),
  ]);
  const remote = await server.post('/api/v2/remotes', spec('x', { url: 'https://upstream.test' }));
  expect([remote.status, remote.body.errors]).toEqual([400, [expect.objectContaining({ path: ['format'] })]]);
});

test.each([
  [
    { max_size: '1MB', max_artifact_size: '2MB' },
    'max_artifact_size',
    'must not be larger than max_size, which is 1MB',
  ],
  [{ max_age: '5s' }, 'max_age', 'must be at least 1m, not 5s'],
  [{ url: 'https://upstream.test' }, 'url', 'is not known'],
])('%j is refused', async (wrong, field, message) => {
  const { status, body } = await server.post('/api/v2/hosted', spec('wrong', wrong));
  expect([status, body.errors]).toEqual([400, [{ path: [field], message: expect.stringContaining(message) }]]);
});

test('it shares one space of names with remotes and virtuals', async () => {
  await server.put('/api/v2/hosted/taken', spec('taken'));
  const other = await server.post('/api/v2/remotes', { name: 'taken', format: 'npm', url: 'https://upstream.test' });
  expect(other).toMatchObject({ status: 409, body: { existing: { kind: 'hosted', name: 'taken' } } });
});

test('it may be the member of a virtual of its format, declared with it, and is kept while it is one', async () => {
  const changes = [
    { op: 'put', kind: 'virtual', name: 'both', spec: { format: 'gradle-cache', members: ['main', 'branches'] } },
    { op: 'put', kind: 'hosted', name: 'main', spec: spec('main') },
    { op: 'put', kind: 'hosted', name: 'branches', spec: spec('branches') },
  ];
  expect((await server.post('/api/v2/config', changes)).status).toBe(200);
  const used = await server.delete('/api/v2/hosted/main');
  expect([used.status, used.body.users]).toEqual([409, [{ kind: 'virtual', name: 'both' }]]);
  const mixed = await server.post('/api/v2/virtuals', { name: 'mixed', format: 'npm', members: ['main'] });
  expect(mixed.body.detail).toContain('is of format gradle-cache');

  await publish('branches');
  const [first = ''] = KEYS;
  expect(await (await fetch(`${server.url}/both/${first}`)).text()).toBe(`${first} of branches`);
  await publish('main');
  expect(await (await fetch(`${server.url}/both/${first}`)).text()).toBe(`${first} of main`);
});

test('what it holds is listed and removed as of a remote', async () => {
  await server.put('/api/v2/hosted/held', spec('held'));
  await publish('held');
  const path = '/api/v2/hosted/held/objects';
  const page = await server.get(`${path}?limit=2`);
  expect(page.body.items.map((item: { path: string }) => item.path)).toEqual(KEYS.slice(0, 2));
  expect(page.body.items[0]).toMatchObject({ kind: 'artifact', size: 40, type: 'text/plain;charset=UTF-8', pulls: 0 });
  expect(page.body.items[0]).not.toHaveProperty('url');
  expect((await server.get(`${path}?after=${page.body.next}`)).body.items).toHaveLength(1);

  expect((await server.delete(`${path}?path=${KEYS[0]}`)).body).toEqual({ objects: 1, bytes: 40 });
  expect((await fetch(`${server.url}/held/${KEYS[0]}`)).status).toBe(404);
  expect((await fetch(`${server.url}/held/${KEYS[1]}`)).status).toBe(200);
  expect((await server.delete(`${path}?all=true`)).body).toMatchObject({ objects: 2 });
  expect((await fetch(`${server.url}/held/${KEYS[1]}`)).status).toBe(404);
  expect((await server.get('/api/v2/remotes/held/objects')).status).toBe(404);
  expect((await server.get('/api/v2/nothing/held/objects')).status).toBe(404);
  expect((await server.get(path, { token: null })).status).toBe(401);
});

test('a new repository of the name of a deleted one begins empty', async () => {
  await server.put('/api/v2/hosted/again', spec('again'));
  await publish('again');
  await server.delete('/api/v2/hosted/again');
  await server.put('/api/v2/hosted/again', spec('again'));
  await expect.poll(async () => (await server.get('/api/v2/hosted/again/objects')).body.items).toEqual([]);
  expect((await fetch(`${server.url}/again/${KEYS[0]}`)).status).toBe(404);
});
