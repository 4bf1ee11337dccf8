import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { beforeEach, describe, expect, test } from 'vitest';
import { anUpstream, CERTIFICATE, failure, get, KEY, listen, read, text } from './testing.ts';
import type { Route, Upstream, UpstreamRequest, UpstreamResponse } from './upstream.ts';

const SCOPE = 'repository:a/b:pull';
const SCOPED = `scope=${encodeURIComponent(SCOPE)}`;
const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`;

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
}

/** Takes the tokens in `valid` and says in `challenge` where they are had; its token server is on another port. */
class Registry {
  readonly seen: Seen[] = [];
  readonly asked: Seen[] = [];
  readonly valid = new Set<string>();
  realm = '';
  url = '';
  challenge = (): string | undefined => `Bearer realm="${this.realm}",service="registry.test",scope="${SCOPE}"`;
  grant: (response: ServerResponse) => void | Promise<void> = (response) => {
    const token = `t${this.asked.length}`;
    this.valid.add(token);
    response.end(JSON.stringify({ token, expires_in: 300 }));
  };
  answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { authorization = '' } = request.headers;
    if (this.valid.has(authorization.replace(/^Bearer /, ''))) {
      response.writeHead(200, { 'docker-content-digest': 'sha256:1', 'content-length': '12' }).end('the manifest');
      return;
    }
    const challenge = this.challenge();
    if (challenge !== undefined) response.setHeader('www-authenticate', challenge);
    response.writeHead(401).end('{"errors":[]}');
  };

  async start(): Promise<this> {
    const server = createServer((request, response) => {
      this.seen.push(noted(request));
      this.answer(request, response);
    });
    const realm = createServer((request, response) => {
      this.asked.push(noted(request));
      void this.grant(response);
    });
    this.url = `http://registry.test:${await listen(server)}`;
    this.realm = `http://registry.test:${await listen(realm)}/token`;
    return this;
  }
}

function noted({ method = '', url = '', headers }: IncomingMessage): Seen {
  return { method, path: url, authorization: headers.authorization };
}

let registry: Registry;
let upstream: Upstream;
let now: number;
let route: Route;

const routeWith = (tokens: Route['tokens'], parts: Partial<Route> = {}): Route => ({
  origin: registry.url,
  headers: {},
  allowPrivateNetwork: true,
  timeouts: { connect: 5000, headers: 5000, idle: 5000 },
  ...(tokens === undefined ? {} : { tokens }),
  ...parts,
});
const ask = (parts: Partial<UpstreamRequest> = {}): Promise<UpstreamResponse> =>
  upstream.request({ url: `${registry.url}/v2/a/b/manifests/latest`, route, scope: SCOPE, ...parts });
const asked = async (parts?: Partial<UpstreamRequest>): Promise<string> => text(ask(parts));
const sent = (): (string | undefined)[] => registry.seen.map(({ authorization }) => authorization);

beforeEach(async () => {
  registry = await new Registry().start();
  now = Date.UTC(2026, 0, 1);
  upstream = anUpstream({ now: () => now, retrying: { attempts: 0 } });
  route = routeWith({});
});

describe('a registry that asks for a token', () => {
  test('gets one from where it says, and the next request brings it at once', async () => {
    expect(await asked()).toBe('the manifest');
    expect(registry.asked).toEqual([
      { method: 'GET', path: `/token?service=registry.test&${SCOPED}`, authorization: undefined },
    ]);
    expect(await asked()).toBe('the manifest');
    expect(sent()).toEqual([undefined, 'Bearer t1', 'Bearer t1']);
    expect(registry.asked).toHaveLength(1);
  });

  test('gets the user name and password where the token is had, and never itself', async () => {
    route = routeWith({ username: 'reader', password: 'pässword' });
    expect(await asked()).toBe('the manifest');
    expect(registry.asked.map(({ authorization }) => authorization)).toEqual([basic('reader:pässword')]);
    expect(sent()).toEqual([undefined, 'Bearer t1']);
  });

  test('is asked with HEAD and answered with HEAD', async () => {
    const response = await ask({ method: 'HEAD' });
    expect(response).toMatchObject({
      status: 200,
      headers: { 'docker-content-digest': 'sha256:1', 'content-length': '12' },
    });
    expect(await read(response)).toHaveLength(0);
    expect(registry.seen.map(({ method }) => method)).toEqual(['HEAD', 'HEAD']);
  });

  test('gets a token of the scope asked for when it names none, and of each that it names', async () => {
    registry.challenge = () => `Bearer realm="${registry.realm}?kept=1"`;
    await asked();
    registry.challenge = () => `Bearer realm="${registry.realm}",scope="${SCOPE} repository:c:pull"`;
    expect(await asked({ scope: 'repository:c:pull' })).toBe('the manifest');
    expect(registry.asked.map(({ path }) => path)).toEqual([
      `/token?kept=1&${SCOPED}`,
      `/token?${SCOPED}&scope=repository%3Ac%3Apull`,
    ]);
  });

  test('gets one token for many requests at once', async () => {
    let open = (): void => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    const { grant } = registry;
    registry.grant = async (response) => {
      await opened;
      await grant(response);
    };
    const many = Array.from({ length: 20 }, () => asked());
    while (registry.seen.length < 20) await new Promise(setImmediate);
    open();
    expect(new Set(await Promise.all(many))).toEqual(new Set(['the manifest']));
    expect(registry.asked).toHaveLength(1);
  });

  test.each([
    ['expires_in says, a little less', { expires_in: 300 }, 269, 271],
    ['a minute at least', { expires_in: 1 }, 53, 55],
    ['a minute when nothing is said', {}, 53, 55],
    ['a minute when it is nonsense', { expires_in: '1 day' }, 53, 55],
  ])('gets it again after what %s', async (_, said, before, after) => {
    registry.grant = (response) => {
      registry.valid.add('t');
      response.end(JSON.stringify({ access_token: 't', ...said }));
    };
    const began = now;
    await asked();
    now = began + before * 1000;
    await asked();
    expect(registry.asked).toHaveLength(1);
    now = began + after * 1000;
    await asked();
    expect(registry.asked).toHaveLength(2);
    expect(sent()).toEqual([undefined, 'Bearer t', 'Bearer t', 'Bearer t']);
  });

  test('that withdraws a token gets another, once', async () => {
    await asked();
    registry.valid.clear();
    expect(await asked()).toBe('the manifest');
    expect(sent()).toEqual([undefined, 'Bearer t1', 'Bearer t1', 'Bearer t2']);
    registry.valid.clear();
    registry.grant = (response) => void response.end('{"token":"useless"}');
    const response = await ask();
    expect(response.status).toBe(401);
    expect((await read(response)).toString()).toBe('{"errors":[]}');
    expect(sent().slice(4)).toEqual(['Bearer t2', 'Bearer useless']);
    registry.grant = (granted) => {
      registry.valid.add('good');
      granted.end('{"token":"good"}');
    };
    expect(await asked()).toBe('the manifest');
  });

  test('that names another realm later is asked again, though the first is gone', async () => {
    await asked();
    now += 3_600_000;
    registry.valid.clear();
    registry.grant = (response) => void response.writeHead(410).end();
    const moved = createServer((_, response) => {
      registry.valid.add('moved');
      response.end('{"token":"moved"}');
    });
    registry.realm = `http://registry.test:${await listen(moved)}/token`;
    expect(await asked()).toBe('the manifest');
    expect(sent().at(-1)).toBe('Bearer moved');
  });

  test('that names another realm later is heard, though the first goes on giving tokens', async () => {
    await asked();
    registry.valid.clear();
    registry.grant = (response) => void response.end('{"token":"of-the-old-realm"}');
    const moved = createServer((_, response) => {
      registry.valid.add('moved');
      response.end('{"token":"moved"}');
    });
    registry.realm = `http://registry.test:${await listen(moved)}/token`;
    now += 3_600_000;
    expect(await asked()).toBe('the manifest');
    expect(sent()).toEqual([undefined, 'Bearer t1', 'Bearer of-the-old-realm', 'Bearer moved']);
  });

  test('and each time from elsewhere, is given up', async () => {
    let times = 0;
    registry.challenge = () => `Bearer realm="${registry.realm}?${times++}"`;
    registry.grant = (response) => void response.end('{"token":"useless"}');
    expect((await ask()).status).toBe(401);
    expect(registry.seen).toHaveLength(3);
  });

  test('at one place with its realm and one connection is no deadlock', async () => {
    const port = await listen(
      createServer((request, response) => {
        if (request.url?.startsWith('/token')) response.end('{"token":"t"}');
        else if (request.headers.authorization === 'Bearer t') response.end('the manifest');
        else {
          response.setHeader('www-authenticate', `Bearer realm="http://registry.test:${port}/token"`);
          response.writeHead(401).end('x'.repeat(1000));
        }
      }),
    );
    const url = `http://registry.test:${port}`;
    route = routeWith({}, { origin: url, concurrency: 1 });
    expect(await asked({ url: `${url}/v2/` })).toBe('the manifest');
  });
});

describe('a registry that takes user name and password itself', () => {
  beforeEach(() => {
    registry.challenge = () => 'Basic realm="registry"';
    registry.valid.add(basic('reader:secret'));
  });

  test('gets them once it has asked', async () => {
    route = routeWith({ username: 'reader', password: 'secret' });
    expect(await asked()).toBe('the manifest');
    expect(await asked()).toBe('the manifest');
    expect(sent()).toEqual([undefined, basic('reader:secret'), basic('reader:secret')]);
    expect(registry.asked).toEqual([]);
  });

  test('and refuses them is not asked again and again', async () => {
    route = routeWith({ username: 'reader', password: 'wrong' });
    expect((await ask()).status).toBe(401);
    expect(registry.seen).toHaveLength(2);
  });

  test('gets nothing where there is nothing', async () => {
    expect((await ask()).status).toBe(401);
    expect(registry.seen).toHaveLength(1);
  });
});

describe('credentials', () => {
  const other = (port: string): string => registry.realm.replace(/registry\.test:\d+/, `auth.test:${port}`);
  const portOf = (url: string): string => new URL(url).port;

  beforeEach(() => {
    route = routeWith({ username: 'reader', password: 'secret' });
  });

  test('do not go to another host over plain http, and it says why', async () => {
    registry.realm = other(portOf(registry.realm));
    const error = await failure(ask());
    expect(error).toMatchObject({ failure: 'protocol' });
    expect(error.message).toMatch(
      /^registry\.test:\d+ wants a token of auth\.test:\d+, which is asked over plain http/,
    );
    expect(error.message).not.toContain('secret');
    expect(registry.asked).toEqual([]);
  });

  test('that are not there do not matter: another host is asked without', async () => {
    route = routeWith({});
    registry.realm = other(portOf(registry.realm));
    expect(await asked()).toBe('the manifest');
  });

  test('go to another host over https', async () => {
    const server = createTlsServer({ cert: CERTIFICATE, key: KEY }, (request, response) => {
      registry.asked.push(noted(request));
      registry.valid.add('t');
      response.end('{"token":"t"}');
    });
    registry.realm = `https://auth.upstream.test:${await listen(server)}/token`;
    route = routeWith({ username: 'reader', password: 'secret' }, { caPem: CERTIFICATE });
    expect(await asked()).toBe('the manifest');
    expect(registry.asked.map(({ authorization }) => authorization)).toEqual([basic('reader:secret')]);
  });

  test('do not follow a realm that redirects to another host', async () => {
    const elsewhere = createServer((request, response) => {
      registry.asked.push(noted(request));
      registry.valid.add('t');
      response.end('{"token":"t"}');
    });
    const port = await listen(elsewhere);
    registry.grant = (response) => void response.writeHead(302, { location: `http://else.test:${port}/` }).end();
    expect(await asked()).toBe('the manifest');
    expect(registry.asked.map(({ authorization }) => authorization)).toEqual([basic('reader:secret'), undefined]);
  });
});

test('a token does not follow a redirect to another origin, which cannot ask for one either', async () => {
  const seen: Seen[] = [];
  const storage = createServer((request, response) => {
    seen.push(noted(request));
    response.setHeader('www-authenticate', `Bearer realm="${registry.realm}"`);
    response.writeHead(request.url === '/open' ? 200 : 401).end('the blob');
  });
  const port = await listen(storage);
  const { answer } = registry;
  registry.answer = (request, response) => {
    if (request.headers.authorization === undefined) answer(request, response);
    else response.writeHead(307, { location: `http://storage.test:${port}${request.url}` }).end();
  };
  expect(await asked({ url: `${registry.url}/open` })).toBe('the blob');
  expect((await ask({ url: `${registry.url}/closed` })).status).toBe(401);
  expect(seen.map(({ path, authorization }) => [path, authorization])).toEqual([
    ['/open', undefined],
    ['/closed', undefined],
  ]);
  expect(registry.asked).toHaveLength(1);
});

test('another origin than the route is for is never answered with a token', async () => {
  route = routeWith({}, { origin: 'http://elsewhere.test' });
  expect((await ask()).status).toBe(401);
  expect(registry.asked).toEqual([]);
});

test('a route without tokens sends what it declares, and a 401 stands', async () => {
  const headers = { authorization: 'Bearer static' };
  expect((await get(upstream, `${registry.url}/v2/`, { headers })).status).toBe(401);
  expect(sent()).toEqual(['Bearer static']);
  expect(registry.asked).toEqual([]);
});

test('a private address is no realm for a remote of the public network', async () => {
  const request = (response: Partial<UpstreamResponse>): Upstream['request'] => {
    return async () => response as UpstreamResponse;
  };
  const { withTokens } = await import('./tokens.ts');
  const door = anUpstream();
  const mixed: Upstream = {
    request: (asking) =>
      asking.url.startsWith(registry.url)
        ? request({
            status: 401,
            url: asking.url,
            headers: { 'www-authenticate': 'Bearer realm="http://169.254.169.254/token"' },
            discard: async () => {},
          })(asking)
        : door.request(asking),
    close: () => door.close(),
  };
  route = { ...routeWith({}), allowPrivateNetwork: false };
  const asking = withTokens(mixed, () => now).request({ url: `${registry.url}/v2/`, route });
  expect(await failure(asking)).toMatchObject({
    failure: 'private_address',
    message: expect.stringContaining(': 169.254.169.254 is an address of a private network'),
  });
});

describe('a token server that gives none is the fault, with its name', () => {
  test.each<[string, (response: ServerResponse) => void, Route['tokens'], RegExp]>([
    [
      'refuses the credentials',
      (r) => void r.writeHead(401).end(),
      { username: 'u', password: 'p' },
      /401 to the remote's user name and password: check the remote's auth/,
    ],
    [
      'wants credentials',
      (r) => void r.writeHead(403).end(),
      {},
      /403 to a request without user name and password: set the remote's auth/,
    ],
    ['fails', (r) => void r.writeHead(500).end(), {}, /answered 500\./],
    ['has nothing there', (r) => void r.writeHead(404).end(), {}, /answered 404\./],
    ['answers a page', (r) => void r.end('<html>'), {}, /holds no token/],
    ['answers null', (r) => void r.end('null'), {}, /holds no token/],
    ['answers a number', (r) => void r.end('{"token":5}'), {}, /holds no token/],
    ['answers a token of two lines', (r) => void r.end('{"token":"a\\r\\nx-y: z"}'), {}, /holds no token/],
    ['answers without end', (r) => void r.end(JSON.stringify({ token: 'x'.repeat(70_000) })), {}, /the limit is 65536/],
    ['breaks off', (r) => void r.socket?.destroy(), {}, /closed the connection without an answer/],
    ['redirects to itself', (r) => void r.writeHead(302, { location: '' }).end(), {}, /redirects without saying where/],
  ])('%s', async (_, grant, tokens, message) => {
    registry.grant = grant;
    route = routeWith(tokens);
    const error = await failure(ask());
    expect(error.name).toBe('UpstreamError');
    expect(error.message).toMatch(/^There is no token for registry\.test:\d+: \S/);
    expect(error.message).toMatch(message);
    expect(await failure(ask())).toMatchObject({ message: error.message });
  });

  test('is not there', async () => {
    const server = createServer();
    const port = await listen(server);
    server.close(() => {});
    registry.realm = `http://registry.test:${port}/token`;
    expect(await failure(ask())).toMatchObject({
      failure: 'refused_connection',
      message: expect.stringMatching(/There is no token for registry\.test:\d+: .* cannot be connected to/),
    });
  });

  test.each([
    ['no address', 'Bearer realm="token"', /realm that is no http or https address/],
    ['another scheme', 'Bearer realm="file:///etc/passwd"', /realm that is no http or https address/],
    ['an unreadable challenge', 'Bearer realm="x', /WWW-Authenticate header that cannot be read/],
  ])('%s', async (_, challenge, message) => {
    registry.challenge = () => challenge;
    expect((await failure(ask())).message).toMatch(message);
  });

  test.each([
    ['no challenge', undefined],
    ['one without a realm', 'Bearer service="x"'],
    ['another scheme', 'Negotiate'],
  ])('%s leaves the 401', async (_, challenge) => {
    registry.challenge = () => challenge;
    const response = await ask();
    expect(response.status).toBe(401);
    expect((await read(response)).toString()).toBe('{"errors":[]}');
  });
});
