import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect, type Server as RawServer } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import type { Lookup } from './dial.ts';
import { anUpstream, CERTIFICATE, failure, get, KEY, listen, text } from './testing.ts';

const guarded = { allowPrivateNetwork: false };

/** Answers every name with the next of these addresses; the last one from then on. */
function answering(...answers: readonly string[][]): Lookup {
  let asked = 0;
  return async () => {
    const addresses = answers[Math.min(asked, answers.length - 1)] ?? [];
    asked += 1;
    return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
}

async function counting(): Promise<{ port: number; asked: () => number }> {
  let asked = 0;
  const server = createServer((_, response) => response.end('private'));
  server.on('connection', () => {
    asked += 1;
  });
  return { port: await listen(server), asked: () => asked };
}

test.each([
  [
    'a name that resolves to a private address',
    'http://upstream.test',
    ['10.1.2.3'],
    /upstream\.test resolves to 10\.1\.2\.3/,
  ],
  ['a name that resolves to private addresses only', 'http://upstream.test', ['::1', '127.0.0.1'], /resolves to ::1/],
  ['a private address', 'http://127.0.0.1', [], /127\.0\.0\.1 is an address of a private network/],
  ['one written as a number', 'http://2130706433', [], /127\.0\.0\.1 is/],
  ['one written in IPv6', 'http://[::ffff:127.0.0.1]', [], /is an address of a private network/],
  ['the metadata service', 'http://169.254.169.254', [], /169\.254\.169\.254 is/],
  ['localhost', 'http://localhost', ['127.0.0.1'], /localhost/],
])('%s is not dialled', async (_, url, addresses, message) => {
  const { port, asked } = await counting();
  const upstream = anUpstream({ lookup: answering(addresses) });
  const error = await failure(get(upstream, `${url}:${port}/x?token=secret`, guarded));
  expect(error).toMatchObject({ failure: 'private_address', message: expect.stringMatching(message) });
  expect(error.message).toContain('allow_private_network');
  expect(error.message).not.toContain('secret');
  expect(asked()).toBe(0);
});

test('a name that resolves to something else a moment later changes nothing', async () => {
  const { port, asked } = await counting();
  const route = { ...guarded, timeouts: { connect: 300, headers: 300, idle: 300 } };
  // Checked as 192.0.2.1, where nobody is; whoever resolves once more gets loopback.
  const first = anUpstream({ lookup: answering(['192.0.2.1'], ['127.0.0.1']), retrying: { attempts: 0 } });
  expect((await failure(get(first, `http://upstream.test:${port}/`, route))).failure).toMatch(
    /timeout|refused_connection/,
  );
  expect((await failure(get(first, `http://upstream.test:${port}/`, route))).failure).toBe('private_address');
  expect(asked()).toBe(0);
});

test('of public and private addresses only the public ones are dialled', async () => {
  const { port, asked } = await counting();
  const route = { ...guarded, timeouts: { connect: 300, headers: 300, idle: 300 } };
  const upstream = anUpstream({ lookup: answering(['127.0.0.1', '192.0.2.1']), retrying: { attempts: 0 } });
  expect((await failure(get(upstream, `http://upstream.test:${port}/`, route))).failure).toMatch(
    /timeout|refused_connection/,
  );
  expect(asked()).toBe(0);
});

test.each(['127.0.0.1', 'localhost', '2130706433', '[::ffff:127.0.0.1]'])(
  'a redirect to %s is not followed into a private network',
  async (host) => {
    const { port, asked } = await counting();
    // The proxy stands for an upstream on the public internet.
    const redirecting = createServer((_, response) =>
      response.writeHead(302, { location: `http://${host}:${port}/` }).end(),
    );
    const proxyUrl = `http://127.0.0.1:${await listen(redirecting)}`;
    expect((await failure(get(anUpstream(), 'http://upstream.test/', { ...guarded, proxyUrl }))).failure).toBe(
      'private_address',
    );
    expect(asked()).toBe(0);
  },
);

test('a remote may be allowed its private network', async () => {
  const { port } = await counting();
  expect(await text(get(anUpstream(), `http://localhost:${port}/`))).toBe('private');
});

test('a name that does not resolve', async () => {
  const lookup: Lookup = async (host) => {
    throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' });
  };
  expect(await failure(get(anUpstream({ lookup }), 'https://upstream.test/x', guarded))).toMatchObject({
    failure: 'unresolved',
    message: "The name upstream.test cannot be resolved (ENOTFOUND): check the remote's url, and DNS.",
  });
  expect((await failure(get(anUpstream({ lookup: async () => [] }), 'https://upstream.test/x'))).failure).toBe(
    'unresolved',
  );
});

async function secure(options: { requestCert?: boolean } = {}): Promise<string> {
  const server = createSecureServer(
    { cert: CERTIFICATE, key: KEY, ca: CERTIFICATE, rejectUnauthorized: false, ...options },
    (request, response) => {
      const subject = (request.socket as TLSSocket).getPeerCertificate().subject;
      response.end(`shown: ${String(subject?.CN ?? 'nothing')}`);
    },
  );
  return `https://upstream.test:${await listen(server)}`;
}

test('an authority of its own, trusted when the remote names it', async () => {
  const url = await secure();
  expect(await failure(get(anUpstream(), url))).toMatchObject({
    failure: 'tls',
    message: expect.stringContaining('ca_pem'),
  });
  expect(await text(get(anUpstream(), url, { caPem: CERTIFICATE }))).toBe('shown: nothing');
});

test('a certificate for another name', async () => {
  const url = (await secure()).replace('upstream.test', 'other.test');
  expect(await failure(get(anUpstream(), url, { caPem: CERTIFICATE }))).toMatchObject({
    failure: 'tls',
    message: expect.stringContaining('for another name'),
  });
});

test("a client certificate is shown to the remote's own origin, and to no other", async () => {
  const url = await secure({ requestCert: true });
  const route = { caPem: CERTIFICATE, clientCert: { certPem: CERTIFICATE, keyPem: KEY } };
  expect(await text(get(anUpstream(), url, route))).toBe('shown: upstream.test');
  expect(await text(get(anUpstream(), url.replace('//', '//files.'), { ...route, origin: url }))).toBe(
    'shown: nothing',
  );
});

test('TLS to a port that speaks none, and none to a port that does', async () => {
  const { port } = await counting();
  expect((await failure(get(anUpstream(), `https://upstream.test:${port}/`))).failure).toBe('tls');
  const url = await secure();
  expect((await failure(get(anUpstream(), url.replace('https', 'http')))).failure).toMatch(
    /protocol|refused_connection/,
  );
});

test('certificates that are none', async () => {
  expect(
    await failure(get(anUpstream(), await secure(), { clientCert: { certPem: CERTIFICATE, keyPem: 'none' } })),
  ).toMatchObject({
    failure: 'tls',
    message: expect.stringContaining('client_cert'),
  });
});

/** A forward proxy that can tunnel, and writes down what it was asked. */
async function startProxy(credentials?: string): Promise<{ url: string; seen: string[] }> {
  const seen: string[] = [];
  const allowed = (given: string | undefined): boolean =>
    credentials === undefined || given === `Basic ${btoa(credentials)}`;
  const server: Server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    if (allowed(request.headers['proxy-authorization'])) response.end('through the proxy');
    else response.writeHead(407).end();
  });
  server.on('connect', (request, socket) => {
    seen.push(`CONNECT ${request.url}`);
    socket.on('error', () => {});
    if (!allowed(request.headers['proxy-authorization'])) return socket.end('HTTP/1.1 407 No\r\n\r\n');
    const target = connect(Number(request.url?.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      target.pipe(socket).pipe(target);
    });
    return target.on('error', () => socket.destroy());
  });
  return { url: `http://127.0.0.1:${await listen(server as RawServer)}`, seen };
}

test('through a proxy, tunnelled for https', async () => {
  const url = await secure();
  const { url: proxyUrl, seen } = await startProxy();
  expect(await text(get(anUpstream(), `${url}/x`, { ...guarded, proxyUrl, caPem: CERTIFICATE }))).toBe(
    'shown: nothing',
  );
  expect(await text(get(anUpstream(), 'http://upstream.test/x?y', { ...guarded, proxyUrl }))).toBe('through the proxy');
  expect(seen).toEqual([`CONNECT upstream.test:${new URL(url).port}`, 'GET http://upstream.test/x?y']);
});

test('through a proxy that wants credentials', async () => {
  const url = await secure();
  const { url: proxyUrl } = await startProxy('reader:secret');
  const signedIn = proxyUrl.replace('//', '//reader:secret@');
  expect(await text(get(anUpstream(), url, { proxyUrl: signedIn, caPem: CERTIFICATE }))).toBe('shown: nothing');
  expect(await text(get(anUpstream(), 'http://upstream.test/', { proxyUrl: signedIn }))).toBe('through the proxy');
  for (const wrong of [proxyUrl, proxyUrl.replace('//', '//reader:wrong@')]) {
    for (const target of [url, 'http://upstream.test/']) {
      const error = await failure(get(anUpstream(), target, { proxyUrl: wrong, caPem: CERTIFICATE }));
      expect(error).toMatchObject({
        failure: 'refused_connection',
        message: expect.stringMatching(/^The proxy 127.* answered 407 .*proxy_url/),
      });
      expect(error.message).not.toContain('wrong');
    }
  }
});

test('a proxy does not lead into a private network', async () => {
  const { url: proxyUrl, seen } = await startProxy();
  expect((await failure(get(anUpstream(), 'http://169.254.169.254/latest', { ...guarded, proxyUrl }))).failure).toBe(
    'private_address',
  );
  expect((await failure(get(anUpstream(), 'http://localhost/', { ...guarded, proxyUrl }))).failure).toBe(
    'private_address',
  );
  expect(seen).toEqual([]);
});

test('a proxy that is not there', async () => {
  const { port } = await counting();
  const gone = `http://127.0.0.1:${port === 1 ? 2 : 1}`;
  const route = { ...guarded, proxyUrl: gone };
  for (const url of ['http://upstream.test/', 'https://upstream.test/']) {
    expect(await failure(get(anUpstream(), url, route))).toMatchObject({
      failure: 'refused_connection',
      message: expect.stringMatching(/127\.0\.0\.1:[12] .*proxy_url/),
    });
  }
});
