import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { ApiError, ConnectionError, ManagementClient } from './client.ts';
import { selfSigned } from './plugin/certificate.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const ENVELOPE = { name: 'a', spec: { name: 'a' }, status: {}, revision: 3, created_at: 't', updated_at: 't' };

async function listening(server: Server, scheme: string): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `${scheme}://localhost:${(server.address() as AddressInfo).port}`;
}

const serving = (answer: Answer): Promise<string> => listening(createServer(answer), 'http');
const client = (url: string, more: object = {}): ManagementClient =>
  new ManagementClient({ url, token: 'tok', tokenSource: 'ENTREPOT_TOKEN', userAgent: 'agent/1', ...more });
const json = (response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}) =>
  response
    .writeHead(status, {
      'content-type': status < 400 ? 'application/json; charset=utf-8' : 'application/problem+json',
      ...headers,
    })
    .end(JSON.stringify(body));

test('what is asked: paths, methods, revisions, the token and who asks', async () => {
  const asked: unknown[] = [];
  const url = await serving((request, response) => {
    const { authorization, 'user-agent': agent, 'if-match': match } = request.headers;
    asked.push([request.method, request.url, authorization, agent, match]);
    json(response, 200, ENVELOPE);
  });
  const management = client(`${url}/entrepot`);
  await management.get('remotes', 'a b');
  await management.create('remotes', { name: 'a' });
  await management.replace('remotes', 'a', { name: 'a' }, 3);
  await management.remove('remotes', 'a');
  await management.rehearse('remotes', { name: 'a' }, undefined);
  await management.rehearse('remotes', { name: 'a' }, 'a');
  const by = ['Bearer tok', 'agent/1'];
  expect(asked).toEqual([
    ['GET', '/entrepot/api/v2/remotes/a%20b', ...by, undefined],
    ['POST', '/entrepot/api/v2/remotes', ...by, undefined],
    ['PUT', '/entrepot/api/v2/remotes/a', ...by, '"3"'],
    ['DELETE', '/entrepot/api/v2/remotes/a?in_use=retire', ...by, undefined],
    ['POST', '/entrepot/api/v2/remotes?dry_run=true', ...by, undefined],
    ['PUT', '/entrepot/api/v2/remotes/a?dry_run=true', ...by, undefined],
  ]);
});

test('what is not there is undefined, and deleting it is no error', async () => {
  const url = await serving((_request, response) => json(response, 404, { status: 404, detail: 'gone' }));
  expect(await client(url).get('remotes', 'a')).toBeUndefined();
  await client(url).remove('remotes', 'a');
});

test('a refusal carries what the server says of each field', async () => {
  const errors = [{ path: ['members', 1], message: 'is not a repository' }];
  const url = await serving((_request, response) =>
    json(response, 400, { status: 400, code: 'invalid', detail: 'no', errors }),
  );
  const refused = await client(url)
    .create('virtuals', {})
    .catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(ApiError);
  expect(refused).toMatchObject({ status: 400, message: 'no', errors });
  expect(await client(url).rehearse('virtuals', {}, undefined)).toMatchObject({ errors });
});

test('a wrong token: where it came from, not what it is', async () => {
  const url = await serving((_request, response) => json(response, 401, { status: 401 }));
  const refused = await client(url)
    .get('remotes', 'a')
    .catch((error: Error) => error);
  expect(refused).toMatchObject({ status: 401, message: expect.stringContaining('token from ENTREPOT_TOKEN') });
});

test.each([429, 503])('a server that is busy (%i) is asked again', async (status) => {
  let asked = 0;
  const url = await serving((_request, response) =>
    ++asked < 3 ? json(response, status, {}, { 'retry-after': '0' }) : json(response, 201, ENVELOPE),
  );
  expect(await client(url).create('remotes', {})).toMatchObject({ name: 'a' });
  expect(asked).toBe(3);
});

test('a broken connection: reading is tried again, a change is not, since it may have been made', async () => {
  let asked = 0;
  const url = await serving((request, response) =>
    ++asked === 1 || request.method !== 'GET' ? request.socket.resetAndDestroy() : json(response, 200, ENVELOPE),
  );
  expect(await client(url).get('remotes', 'a')).toMatchObject({ name: 'a' });
  asked = 0;
  await expect(client(url).create('remotes', {})).rejects.toThrow(ConnectionError);
  expect(asked).toBe(1);
});

test('an answer that breaks off is asked for again', async () => {
  let asked = 0;
  const url = await serving((_request, response) => {
    if (++asked > 1) return json(response, 200, ENVELOPE);
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' }).write('{"name":');
    return setImmediate(() => response.destroy());
  });
  expect(await client(url).get('remotes', 'a')).toMatchObject({ name: 'a' });
  expect(asked).toBe(2);
});

test('another program at the address, a page for people, a redirect: each said, the token not sent on', async () => {
  const seen: (string | undefined)[] = [];
  const other = await serving((request, response) => {
    seen.push(request.headers.authorization);
    json(response, 200, ENVELOPE);
  });
  const page = await serving((_request, response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
  );
  const broken = await serving((_request, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"name"'),
  );
  const strange = await serving((_request, response) => json(response, 200, { hello: 'world' }));
  const redirect = await serving((_request, response) => response.writeHead(302, { location: other }).end());
  for (const url of [page, broken, strange])
    await expect(client(url).get('remotes', 'a')).rejects.toThrow("is not Entrepot's management API");
  await expect(client(redirect).get('remotes', 'a')).rejects.toThrow(`redirects to ${other}. Set the provider's url`);
  expect(seen).toEqual([]);
});

test('an authority of its own is trusted when it is given, and asked for when it is not', async () => {
  const { keyPem, certPem } = selfSigned(Date.now());
  const url = await listening(
    createTlsServer({ key: keyPem, cert: certPem }, (_request, response) => void json(response, 200, ENVELOPE)),
    'https',
  );
  expect(await client(url, { caPem: certPem }).get('remotes', 'a')).toMatchObject({ name: 'a' });
  await expect(client(url).get('remotes', 'a')).rejects.toThrow("as the provider's ca_pem");
});

test('HTTPS asked of a server that has HTTP', async () => {
  const url = await serving((_request, response) => json(response, 200, ENVELOPE));
  await expect(client(url.replace('http:', 'https:')).get('remotes', 'a')).rejects.toThrow('does not speak HTTPS');
});
