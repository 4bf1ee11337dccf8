import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestServer } from '../support/test-server.ts';

const UPSTREAM = 'https://upstream.test';
const remote = (name: string, spec: object = {}) => ({ name, format: 'npm', url: UPSTREAM, ...spec });

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

test('a remote is created, read, replaced and deleted by its name', async () => {
  const spec = { labels: { b: '1', a: '' }, name: 'life', format: 'npm', url: UPSTREAM };
  const created = await server.post('/api/v2/remotes', spec);
  expect(created.status).toBe(201);
  expect(created.body).toMatchObject({
    name: 'life',
    spec,
    managed_by: 'api',
    status: { repository_url: `${server.url}/life` },
  });
  expect(created.headers['etag']).toBe(`"${created.body.revision}"`);

  const read = await server.get('/api/v2/remotes/life');
  expect(read.body).toEqual(created.body);
  expect(JSON.stringify(read.body.spec)).toBe(JSON.stringify(spec));

  const replaced = await server.put('/api/v2/remotes/life', { ...spec, index_ttl: '1m' });
  expect(replaced.status).toBe(200);
  expect(replaced.body.revision).toBeGreaterThan(created.body.revision);
  expect(replaced.body.created_at).toBe(created.body.created_at);

  const again = await server.put('/api/v2/remotes/life', { ...spec, index_ttl: '1m' });
  expect(again.body).toEqual(replaced.body);

  expect((await server.delete('/api/v2/remotes/life')).status).toBe(204);
  expect((await server.get('/api/v2/remotes/life')).status).toBe(404);
  expect((await server.delete('/api/v2/remotes/life')).status).toBe(404);
});

test('a name that is taken is a conflict that names what is there', async () => {
  await server.put('/api/v2/remotes/taken', remote('taken'));
  const answer = await server.post('/api/v2/remotes', remote('taken'));
  expect(answer.status).toBe(409);
  expect(answer.body).toMatchObject({ code: 'conflict', existing: { kind: 'remote', name: 'taken' } });
  expect(
    (await server.put('/api/v2/virtuals/taken', { name: 'taken', format: 'npm', members: ['taken'] })).status,
  ).toBe(409);
});

test('a PUT may leave out the name that its address says, and may not say another', async () => {
  const { name: _, ...nameless } = remote('nameless');
  const made = await server.put('/api/v2/remotes/nameless', nameless);
  expect(made.status).toBe(201);
  expect(made.body).toMatchObject({ name: 'nameless', spec: { name: 'nameless' } });
  const other = await server.put('/api/v2/remotes/nameless', remote('another'));
  expect(other).toMatchObject({ status: 400, body: { errors: [{ path: ['name'] }] } });
});

test('two PUTs with one revision: the second is told to read again', async () => {
  const { body } = await server.put('/api/v2/remotes/twice', remote('twice'));
  const headers = { 'if-match': `"${body.revision}"` };
  const answers = await Promise.all(
    ['1m', '2m'].map((ttl) => server.put('/api/v2/remotes/twice', remote('twice', { index_ttl: ttl }), { headers })),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
  const refused = answers.find(({ status }) => status === 412);
  expect(refused?.body.detail).toContain('was changed meanwhile');
});

test('conditions hold for what they say', async () => {
  const path = '/api/v2/remotes/conditional';
  const put = (headers: Record<string, string>, ttl = '5m') =>
    server.put(path, remote('conditional', { index_ttl: ttl }), { headers });
  expect((await put({ 'if-match': '*' })).status).toBe(412);
  expect((await put({ 'if-match': '"1"' })).status).toBe(412);
  expect((await put({ 'if-none-match': '*' })).status).toBe(201);
  expect((await put({ 'if-none-match': '*' })).status).toBe(412);
  expect((await put({ 'if-match': '*' }, '6m')).status).toBe(200);
  expect((await put({ 'if-match': 'W/"1", garbage' })).status).toBe(412);
  expect((await put({ 'if-none-match': '"1"' })).status).toBe(400);
  expect((await put({ 'if-none-match': '*', 'if-match': '*' })).status).toBe(400);
  expect((await server.delete(path, { headers: { 'if-match': '"0"' } })).status).toBe(412);
});

test('what is in use is kept, unless it may retire', async () => {
  await server.put('/api/v2/remotes/used', remote('used'));
  await server.put('/api/v2/remotes/other', remote('other'));
  await server.put('/api/v2/virtuals/user', { name: 'user', format: 'npm', members: ['used', 'other'] });
  const refused = await server.delete('/api/v2/remotes/used');
  expect(refused.status).toBe(409);
  expect(refused.body.users).toEqual([{ kind: 'virtual', name: 'user' }]);
  expect((await server.delete('/api/v2/remotes/used?in_use=retire')).status).toBe(204);
  const gone = await server.get('/api/v2/remotes/used');
  expect(gone.body.detail).toContain('serves until the last resource that uses it goes');
  expect((await server.put('/api/v2/virtuals/user', { name: 'user', format: 'npm', members: ['other'] })).status).toBe(
    200,
  );
  expect((await server.get('/api/v2/remotes/used')).body.detail).toBe('there is no remote called "used"');
});

test('a dry run answers as the real one would and changes nothing', async () => {
  const created = await server.post('/api/v2/remotes?dry_run=true', remote('dry'));
  expect(created.status).toBe(200);
  expect(created.body.spec).toEqual(remote('dry'));
  expect((await server.get('/api/v2/remotes/dry')).status).toBe(404);
  expect((await server.post('/api/v2/remotes?dry_run=true', remote('dry', { index_ttl: 'soon' }))).status).toBe(400);
  await server.put('/api/v2/remotes/wet', remote('wet'));
  expect((await server.delete('/api/v2/remotes/wet?dry_run=true')).status).toBe(200);
  expect((await server.get('/api/v2/remotes/wet')).status).toBe(200);
});

test('secrets go in and never come out, and a PUT without them keeps them', async () => {
  const auth = { type: 'bearer', token: 'a-very-secret-token' };
  const answers = [
    await server.put('/api/v2/remotes/secret', remote('secret', { auth })),
    await server.get('/api/v2/remotes/secret'),
    await server.get('/api/v2/remotes'),
    await server.get('/api/v2/config'),
    await server.put('/api/v2/remotes/secret', remote('secret', { auth: { type: 'bearer' } })),
  ];
  for (const { status, text } of answers) {
    expect(status).toBeLessThan(300);
    expect(text).not.toContain('a-very-secret-token');
  }
  expect(answers[4]?.body.revision).toBe(answers[0]?.body.revision);
});

test('a list goes in order of name, page by page, and by format and label', async () => {
  for (const name of ['list-c', 'list-a', 'list-b']) {
    await server.put(`/api/v2/remotes/${name}`, remote(name, { format: 'generic', labels: { set: 'list', of: name } }));
  }
  const first = await server.get('/api/v2/remotes?label=set=list&limit=2');
  expect(first.body.items.map(({ name }: { name: string }) => name)).toEqual(['list-a', 'list-b']);
  const second = await server.get(`/api/v2/remotes?label=set&limit=2&after=${first.body.next}`);
  expect(second.body.items.map(({ name }: { name: string }) => name)).toEqual(['list-c']);
  expect(second.body).not.toHaveProperty('next');
  expect((await server.get('/api/v2/remotes?format=generic&label=of=list-a')).body.items).toHaveLength(1);
  expect((await server.get('/api/v2/remotes?format=pypi')).body.items).toEqual([]);
  expect((await server.get('/api/v2/remotes?label=constructor')).body.items).toEqual([]);
});

test('every wrong field is named with its path', async () => {
  const { status, body } = await server.put('/api/v2/remotes/wrong', {
    name: 'wrong',
    format: 'npm',
    index_tll: '5m',
    artifact_ttl: 5,
  });
  expect(status).toBe(400);
  expect(body.errors.map(({ path }: { path: string[] }) => path.join('.')).sort()).toEqual([
    'artifact_ttl',
    'index_tll',
  ]);
  expect(body.detail).toContain('did you mean index_ttl?');
});

test.each([
  ['an unknown format', remote('bad', { format: 'nmp' }), 'format'],
  ['options of another format', remote('bad', { pypi: {} }), 'pypi'],
  ['credentials in the URL', remote('bad', { url: 'https://u:p@upstream.test' }), 'url'],
  ['another name than in the address', remote('good'), 'name'],
  ['a mistyped list', remote('bad', { patterns: 'x' }), 'patterns'],
  ['a list', [], ''],
  ['nothing', undefined, ''],
  ['null', 'null', ''],
  ['a text', '"x"', ''],
  ['__proto__', '{"name":"bad","format":"npm","__proto__":{"url":"x"}}', '__proto__'],
  ['a deep document', `{"name":"bad","format":"npm","labels":${'{"a":'.repeat(39)}1${'}'.repeat(39)}}`, 'labels'],
])('a body with %s is refused where it is wrong', async (_, body, at) => {
  const answer = await server.call(
    'PUT',
    '/api/v2/remotes/bad',
    body === undefined ? { headers: { 'content-type': 'application/json' } } : { body },
  );
  expect(answer.status).toBe(400);
  expect(answer.body.code).toBe('invalid');
  expect(answer.body.errors.map(({ path }: { path: string[] }) => path[0] ?? '')).toContain(at);
  expect((await server.get('/api/v2/remotes/bad')).status).toBe(404);
});

test.each(['api', 'v2', 'health', 'openapi.json', 'A', 'a/b', 'ü', '..', '-a', 'a'.repeat(64), ''])(
  'no remote can be called %j',
  async (name) => {
    const answer = await server.post('/api/v2/remotes', remote(name));
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].path).toEqual(['name']);
  },
);

test.each([
  '/api/v2/remotes/%2e%2e',
  '/api/v2/remotes/a%2Fb',
  '/api/v2/remotes/%C3%BC',
  '/api/v2/remotes/%00',
  `/api/v2/remotes/${'a'.repeat(3000)}`,
])('there is nothing at %s', async (path) => {
  const { status, body } = await server.raw(path, { headers: { authorization: `Bearer ${server.token}` } });
  expect(status).toBe(404);
  expect(JSON.parse(body)).toMatchObject({ code: 'not_found', status: 404 });
});

test.each([
  ['limit=0', 'limit'],
  ['limit=1001', 'limit'],
  ['limit=99999999999999999999', 'limit'],
  ['limit=-1', 'limit'],
  ['limit=1e2', 'limit'],
  ['limit=1&limit=2', 'limit'],
  ['after=', 'after'],
  ['label==x', 'label'],
  ['lable=x', 'lable'],
])('the parameter %s is refused', async (query, at) => {
  const { status, body } = await server.get(`/api/v2/remotes?${query}`);
  expect(status).toBe(400);
  expect(body.errors[0].path).toEqual([at]);
});

test('a mistyped dry_run changes nothing', async () => {
  for (const query of ['dryrun=true', 'dry_run=yes', 'dry_run=1', 'dry-run']) {
    expect((await server.post(`/api/v2/remotes?${query}`, remote('careless'))).status).toBe(400);
  }
  expect((await server.get('/api/v2/remotes/careless')).status).toBe(404);
});

test('there is no other collection', async () => {
  const { status, body } = await server.get('/api/v2/remoets');
  expect(status).toBe(404);
  expect(body.detail).toContain('/api/v2/remotes');
});
