import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestServer } from '../support/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
  await server.remote('files', 'generic', 'https://upstream.test');
});
afterAll(() => server.stop());

test.each([
  ['nothing', '', []],
  ['two things', 'path=a&all=true', ['path']],
  ['not all', 'all=false', ['all']],
  ['an empty prefix', 'prefix=', ['prefix']],
  ['a package that is none', 'purl=npm/a', ['purl']],
  ['a mistyped parameter', 'pefix=a', ['pefix']],
])('an eviction of %s is refused', async (_, query, path) => {
  const { status, body } = await server.delete(`/api/v2/remotes/files/objects?${query}`);
  expect(status).toBe(400);
  expect(body.errors[0].path).toEqual(path);
});

test('only a remote keeps anything', async () => {
  await server.virtual('all', 'generic', ['files']);
  for (const name of ['all', 'nobody']) {
    expect((await server.get(`/api/v2/remotes/${name}/objects`)).status).toBe(404);
    expect((await server.delete(`/api/v2/remotes/${name}/objects?all=true`)).status).toBe(404);
  }
});
