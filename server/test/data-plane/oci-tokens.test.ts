import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeUpstream, type SeenRequest } from '../support/fake-upstream.ts';
import type { Reply } from '../support/fake-upstream-answer.ts';
import { imageOf, topOf } from '../support/oci-image.ts';
import { TestServer } from '../support/test-server.ts';

const MINUTE = 60_000;
const image = imageOf('app');
const top = topOf(image);
const TAG = '/v2/images/team/app/manifests/v1';
const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

interface Granted {
  readonly token: string;
  readonly access_token: string;
  readonly expires_in: number;
  readonly issued_at: string;
}

let upstream: FakeUpstream;
let server: TestServer;
let ahead: number;

const ask = (path: string, headers: Readonly<Record<string, string>> = {}, init: RequestInit = {}) =>
  fetch(`${server.url}${path}`, { headers, ...init });
const codeOf = async (response: Response): Promise<string> =>
  ((await response.json()) as { errors: { code: string }[] }).errors[0]?.code ?? '';
const grant = async (headers: Readonly<Record<string, string>> = {}, query = ''): Promise<Granted> =>
  (await (await ask(`/v2/_token${query}`, headers)).json()) as Granted;
const post = (form: Readonly<Record<string, string>>) =>
  ask('/v2/_token', {}, { method: 'POST', body: new URLSearchParams(form) });

async function start(settings: Readonly<Record<string, string>> = {}, data?: string): Promise<void> {
  ahead = 0;
  server = await TestServer.start({
    settings,
    now: () => Date.now() + ahead,
    ...(data === undefined ? {} : { data }),
  });
}

/** The registry has one image, for whoever passes `admit`. */
function publish(admit: (request: SeenRequest) => Reply | undefined = () => undefined): void {
  const guarded = (path: string, body: Uint8Array, type: string, digest: string): void => {
    const reply = { body, headers: { 'content-type': type, 'docker-content-digest': digest } };
    upstream.respond(path, (request) => admit(request) ?? reply);
  };
  for (const reference of ['v1', top.digest])
    guarded(`/v2/team/app/manifests/${reference}`, top.bytes, top.type, top.digest);
  for (const { bytes, digest } of image.blobs)
    guarded(`/v2/team/app/blobs/${digest}`, bytes, 'application/octet-stream', digest);
}

beforeEach(async () => {
  upstream = await FakeUpstream.start();
});

afterEach(async () => {
  await server.stop();
  await upstream.stop();
});

describe('where anybody may read', () => {
  beforeEach(async () => {
    await start();
    await server.remote('images', 'oci', upstream.url);
    publish();
  });

  test.each(['/v2', '/v2/', '/images/v2', '/images/v2/', '/api/v1/remote/images/v2/'])(
    'clients are asked at %s who they are, so that they say it',
    async (path) => {
      const { host } = new URL(server.url);
      for (const method of ['GET', 'HEAD']) {
        const response = await ask(path, {}, { method });
        expect(response.status).toBe(401);
        expect(response.headers.get('docker-distribution-api-version')).toBe('registry/2.0');
        expect(response.headers.get('www-authenticate')).toBe(
          `Bearer realm="${server.url}/v2/_token",service="${host}"`,
        );
        if (method === 'GET') expect(await codeOf(response)).toBe('UNAUTHORIZED');
      }
      const known = await ask(path, basic('ci', server.token));
      expect([known.status, await known.text()]).toEqual([200, '{}']);
      expect(known.headers.get('docker-distribution-api-version')).toBe('registry/2.0');
      const { token } = await grant();
      for (const credentials of [bearer(token), bearer(server.token)])
        expect((await ask(path, credentials, { method: 'HEAD' })).status).toBe(200);
      const wrong = await ask(path, bearer('wrong'));
      expect([wrong.status, wrong.headers.get('www-authenticate')]).toEqual([
        401,
        `Bearer realm="${server.url}/v2/_token",service="${host}",error="invalid_token"`,
      ]);
    },
  );

  test('the root takes no other method', async () => {
    const response = await ask('/v2/', basic('ci', server.token), { method: 'DELETE' });
    expect([response.status, await codeOf(response)]).toEqual([405, 'UNSUPPORTED']);
  });

  test('pulling takes no token', async () => {
    const response = await ask(TAG);
    expect([response.status, response.headers.get('docker-content-digest')]).toEqual([200, top.digest]);
  });

  test('a token for nobody in particular is given to nobody in particular', async () => {
    const granted = await grant({}, '?service=x&scope=repository:a:pull&scope=repository:b:pull,push&account=me');
    expect(granted).toEqual({
      token: expect.stringMatching(/^[\x21-\x7e]+$/),
      access_token: granted.token,
      expires_in: 300,
      issued_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    });
    expect((await ask(TAG, bearer(granted.token))).status).toBe(200);
  });

  test('a token that is wrong is no token, and its owner learns of it', async () => {
    const { token } = await grant();
    const [name, payload = '', seal = ''] = token.split('.');
    const other = Buffer.from(JSON.stringify(['admin', Date.now() + MINUTE])).toString('base64url');
    const flipped = `${seal[0] === 'A' ? 'B' : 'A'}${seal.slice(1)}`;
    for (const forged of [
      `${name}.${other}.${seal}`,
      `${name}.${payload}.${flipped}`,
      `${name}.${payload}`,
      `${name}..`,
    ]) {
      const response = await ask(TAG, bearer(forged));
      expect([response.status, await codeOf(response)]).toEqual([401, 'UNAUTHORIZED']);
      expect(response.headers.get('www-authenticate')).toMatch(
        /^Bearer realm="[^"]+",service="[^"]+",scope="repository:images\/team\/app:pull",error="invalid_token"$/,
      );
    }
  });

  test('who signs in is on record by name, and what it is for by the user name', async () => {
    const { token } = await grant(basic('ci-job\n17', server.token));
    await ask(TAG, bearer(token));
    await ask(TAG, { ...bearer(token), 'x-entrepot-consumer': 'by-header' });
    const { body } = await server.get('/api/v2/pulls?repository=images');
    const rows = (body.items as { principal: string; consumer: string }[]).map((row) => [row.principal, row.consumer]);
    expect(rows).toEqual([
      ['admin', 'by-header'],
      ['admin', 'ci-job17'],
    ]);
  });

  test('a token lasts five minutes, in memory too, and then asks for another', async () => {
    const { token } = await grant(basic('ci', server.token));
    const path = `/v2/images/team/app/manifests/${top.digest}`;
    ahead = 5 * MINUTE - 5000;
    for (let times = 0; times < 3; times++) expect((await ask(path, bearer(token))).status).toBe(200);
    ahead = 5 * MINUTE + 1000;
    const response = await ask(path, bearer(token));
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
  });

  test("an administrator's token for images is none for the management API", async () => {
    const { token } = await grant(basic('admin', server.token));
    for (const path of ['/api/v2/remotes', '/api/v2/pulls', '/metrics']) {
      expect((await ask(path, bearer(token))).status).toBe(401);
      expect((await ask(path, bearer(server.token))).status).toBe(200);
    }
    expect((await ask('/api/v2/remotes/images', bearer(token), { method: 'DELETE' })).status).toBe(401);
  });

  test('a token is good as Bearer only, and gets no other', async () => {
    const { token } = await grant(basic('ci', server.token));
    for (const headers of [basic('ci', token), { authorization: token }, { 'x-api-key': token }])
      expect((await ask(TAG, headers)).status).toBe(401);
    for (const headers of [basic('ci', token), bearer(token)])
      expect((await ask('/v2/_token', headers)).status).toBe(401);
    expect((await post({ grant_type: 'refresh_token', refresh_token: token })).status).toBe(401);
  });

  test.each([
    ['no client gets one for a wrong password', () => ask('/v2/_token', basic('ci', 'wrong')), 401, 'UNAUTHORIZED'],
    ['nor by POST', () => post({ grant_type: 'password', username: 'ci', password: 'wrong' }), 401, 'UNAUTHORIZED'],
    [
      'nor with an empty one',
      () => post({ grant_type: 'password', username: 'ci', password: '' }),
      401,
      'UNAUTHORIZED',
    ],
    ['nor without one', () => post({ grant_type: 'password' }), 401, 'UNAUTHORIZED'],
    ['nor for another grant', () => post({ grant_type: 'client_credentials' }), 400, 'NAME_INVALID'],
    ['nor for a form too large', () => post({ grant_type: 'x'.repeat(20_000) }), 413, 'SIZE_INVALID'],
    ['nor by another method', () => ask('/v2/_token', {}, { method: 'PUT' }), 405, 'UNSUPPORTED'],
  ])('%s', async (_, asking, status, code) => {
    const response = await asking();
    expect([response.status, await codeOf(response)]).toEqual([status, code]);
    if (status === 401) expect(response.headers.get('www-authenticate')).toBe('Basic realm="entrepot"');
  });

  test.each([
    { grant_type: 'password', username: 'ci', scope: 'repository:a:pull', service: 'x', client_id: 'containerd' },
    { grant_type: 'refresh_token' },
  ])('a token is given by POST for $grant_type', async (form) => {
    const secret = form.grant_type === 'password' ? 'password' : 'refresh_token';
    const response = await post({ ...form, [secret]: server.token });
    const { access_token: token } = (await response.json()) as Granted;
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect((await ask('/v2/', bearer(token))).status).toBe(200);
  });
});

describe('where nobody may read without a token', () => {
  beforeEach(async () => {
    await start({ anonymous: 'none' });
    await server.remote('images', 'oci', upstream.url);
    publish();
  });

  test.each([
    ['/v2/images/team/app/manifests/v1', 'repository:images/team/app:pull'],
    [`/v2/images/team/app/blobs/sha256:${'0'.repeat(64)}`, 'repository:images/team/app:pull'],
    ['/v2/images/team/app/tags/list?n=5', 'repository:images/team/app:pull'],
    ['/images/v2/team/app/tags/list', 'repository:team/app:pull'],
    ['/v2/images/_catalog', 'registry:catalog:*'],
    ['/v2/images/team/app/unknown', undefined],
    ['/v2/nowhere/team/app/manifests/v1', undefined],
    ['/v2/team/app/manifests/v1?ns=registry.test', undefined],
  ])('%s asks for a token', async (path, scope) => {
    const { host } = new URL(server.url);
    const scoped = scope === undefined ? '' : `,scope="${scope}"`;
    for (const [headers, error] of [
      [{}, ''],
      [basic('ci', 'wrong'), ',error="invalid_token"'],
    ] as const) {
      const response = await ask(path, headers);
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe(
        `Bearer realm="${server.url}/v2/_token",service="${host}"${scoped}${error}`,
      );
      expect(await codeOf(response)).toBe('UNAUTHORIZED');
    }
    expect(upstream.requests).toEqual([]);
  });

  test('nobody gets a token', async () => {
    const response = await ask('/v2/_token');
    expect([response.status, await codeOf(response)]).toEqual([401, 'UNAUTHORIZED']);
  });

  test('who has one pulls, from memory too', async () => {
    const { token } = await grant(basic('ci', server.token), '?scope=repository:images/team/app:pull');
    const path = `/v2/images/team/app/manifests/${top.digest}`;
    for (let times = 0; times < 3; times++) {
      expect((await ask(path, bearer(token))).status).toBe(200);
      expect((await ask(path)).status).toBe(401);
    }
  });

  test('other formats ask as they did', async () => {
    await server.remote('files', 'generic', upstream.url);
    expect((await ask('/files/x')).headers.get('www-authenticate')).toBe('Basic realm="entrepot"');
  });
});

describe('after a restart', () => {
  const keys = ['first', 'second', 'third'].map((name) => `the-${name}-secret-of-at-least-32-characters`);
  const [first = '', second = '', third = ''] = keys;

  test('tokens go on, also under another secret key, and a key that is not the right one is refused', async () => {
    const data = await mkdtemp(join(tmpdir(), 'entrepot-tokens-'));
    const status = async (token: string): Promise<number> => (await ask('/v2/', bearer(token))).status;
    const restart = async (changed: Readonly<Record<string, string>>): Promise<void> => {
      await server.stop();
      await start({ anonymous: 'none', ...changed }, data);
    };
    await start({ secret_key: first }, data);
    const [anonymous, own] = [await grant(), await grant(basic('ci', server.token))];
    await restart({ secret_key: first });
    expect([await status(own.token), await status(anonymous.token)]).toEqual([200, 401]);
    await restart({ secret_key: second, secret_key_previous: first });
    expect(await status(own.token)).toBe(200);
    await restart({ secret_key: second, admin_token: 'another-token-of-the-admin' });
    expect(await status(own.token)).toBe(200);
    await expect(restart({ secret_key: third })).rejects.toThrow(/secret_key .* is not the one that the secrets/);
    await restart({ secret_key: second });
    expect(await status(own.token)).toBe(200);
    await server.stop();
    await rm(data, { recursive: true, force: true });
  });
});

describe('an upstream that wants a token', () => {
  const TOKEN = '/token?service=registry.test&scope=repository%3Ateam%2Fapp%3Apull';
  const auth = { type: 'basic', username: 'reader', password: 'secret' };
  let valid: string | undefined;

  beforeEach(async () => {
    await start();
    valid = undefined;
    publish(({ headers }) => {
      if (valid !== undefined && headers['authorization'] === `Bearer ${valid}`) return undefined;
      const challenge = `Bearer realm="${upstream.url}/token",service="registry.test",scope="repository:team/app:pull"`;
      return { status: 401, headers: { 'www-authenticate': challenge }, body: '{"errors":[{"code":"UNAUTHORIZED"}]}' };
    });
    let tokens = 0;
    upstream.respond(TOKEN, () => {
      tokens += 1;
      valid = `t${tokens}`;
      return { body: JSON.stringify({ token: valid, expires_in: 300 }) };
    });
  });

  const pull = async (reference = 'v1'): Promise<number> => {
    const response = await ask(`/v2/images/team/app/manifests/${reference}`);
    await response.arrayBuffer();
    return response.status;
  };
  const authorizations = (path: string) =>
    upstream.requests.filter((request) => request.path === path).map(({ headers }) => headers['authorization']);

  test('gets one, once for everything of an image, and the credentials where it is had only', async () => {
    await server.remote('images', 'oci', upstream.url, { auth });
    expect(await pull()).toBe(200);
    const blobs = image.blobs.map(({ digest }) => ask(`/v2/images/team/app/blobs/${digest}`));
    for (const response of await Promise.all(blobs)) expect(response.status).toBe(200);
    expect(authorizations(TOKEN)).toEqual([basic('reader', 'secret').authorization]);
    const others = upstream.requests
      .filter(({ path }) => path !== TOKEN)
      .map(({ headers }) => headers['authorization']);
    expect(others[0]).toBeUndefined();
    expect(new Set(others.slice(1))).toEqual(new Set(['Bearer t1']));
  });

  test('is asked without credentials where the remote has none', async () => {
    await server.remote('images', 'oci', upstream.url);
    expect(await pull()).toBe(200);
    expect(authorizations(TOKEN)).toEqual([undefined]);
  });

  test('that no longer takes a token is brought another', async () => {
    await server.remote('images', 'oci', upstream.url, { index_ttl: '1s' });
    expect(await pull()).toBe(200);
    valid = 'withdrawn';
    ahead = 10_000;
    expect(await pull()).toBe(200);
    expect(authorizations(TOKEN)).toHaveLength(2);
  });

  test('and gives none is an outage that says why, never "not found"', async () => {
    await server.remote('images', 'oci', upstream.url, { auth });
    for (const [reply, said] of [
      [{ status: 401 }, "401 to the remote's user name and password: check the remote's auth"],
      [{ status: 404 }, 'answered 404'],
      [{ body: 'nonsense' }, 'holds no token'],
    ] as const) {
      upstream.respond(TOKEN, reply);
      const response = await ask('/v2/images/team/app/manifests/v1');
      expect(response.status).toBe(502);
      const text = await response.text();
      expect(text).toContain(`There is no token for ${new URL(upstream.url).host}: ${new URL(upstream.url).host} `);
      expect(text).toContain(said);
      expect(text).not.toContain('secret');
    }
  });

  test('whose tokens it does not take is an outage too', async () => {
    await server.remote('images', 'oci', upstream.url, { auth });
    upstream.respond(TOKEN, { body: '{"token":"useless"}' });
    const response = await ask('/v2/images/team/app/manifests/v1');
    expect(response.status).toBe(502);
    expect(await response.text()).toContain("401: check the remote's credentials");
  });

  test('is brought what a remote declares as it stands', async () => {
    valid = 'static';
    await server.remote('images', 'oci', upstream.url, { auth: { type: 'bearer', token: 'static' } });
    expect(await pull()).toBe(200);
    valid = 'other';
    expect(await pull(top.digest)).toBe(200);
    expect(upstream.requests.every(({ headers }) => headers['authorization'] === 'Bearer static')).toBe(true);
  });

  test('may be another of our kind', async () => {
    const far = server;
    await far.remote('images', 'oci', upstream.url);
    await start({ anonymous: 'none' });
    const guarded = server;
    await guarded.remote('images', 'oci', `${far.url}/v2/images`);
    await start();
    await server.remote('near', 'oci', `${guarded.url}/v2/images`, {
      auth: { type: 'basic', username: 'near', password: guarded.token },
    });
    const response = await ask('/v2/near/team/app/manifests/v1');
    expect([response.status, response.headers.get('docker-content-digest')]).toEqual([200, top.digest]);
    expect(Buffer.from(await response.arrayBuffer())).toEqual(top.bytes);
    await guarded.stop();
    await far.stop();
  });
});
