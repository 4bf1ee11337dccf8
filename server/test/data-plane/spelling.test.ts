import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { publish } from '../support/npm-package.ts';
import { Plane } from '../support/plane.ts';

let upstream: FakeUpstream;
let plane: Plane;

beforeAll(async () => {
  upstream = await FakeUpstream.start();
  plane = await Plane.start();
  plane
    .remote('guarded', 'npm', upstream.url, { blocklist: ['^left-pad$', '^@evil/'] })
    .remote('files', 'generic', upstream.url, { blocklist: ['^secret/'] })
    .virtual('npm', 'npm', ['guarded'])
    .virtual('raw', 'generic', ['files']);
  for (const name of ['left-pad', '@evil/pad', 'express'])
    publish(upstream, name, [{ version: '1.0.0', tarball: Buffer.from(name) }]);
  upstream.respond('/secret/key.txt', { body: 'TOP-SECRET' });
});

afterAll(async () => {
  await plane.stop();
  await upstream.stop();
});

/** Sends a request line exactly as it stands: no client in between tidies it. */
function raw(target: string, headers = ''): Promise<string> {
  const { hostname, port } = new URL(plane.url);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(port), hostname, () =>
      socket.write(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n${headers}\r\n`),
    );
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('end', () => resolve(Buffer.concat(chunks).toString()));
    socket.on('error', reject);
  });
}

describe('what is blocked is refused, and what refuses never leaks', () => {
  test.each([
    '/npm/left-pad',
    '/npm/left%2dpad',
    '/npm/left-pad/',
    '/npm/left-pad/latest',
    '/npm/left-pad/1.0.0',
    '/npm/left-pad/-/left-pad-1.0.0.tgz',
    '/npm/left-pad/-/left-pad-1.0.0.tgz?x=1',
    '/npm/left-pad%2f-%2fleft-pad-1.0.0.tgz',
    '/npm//left-pad',
    '/npm/./left-pad',
    '/npm/express/../left-pad',
    '/npm/express/%2e%2e/left-pad',
    '/npm/%2fleft-pad',
    '/npm/@evil%2fpad',
    '/npm/@evil%2Fpad',
    '/npm/@evil/pad',
    '/npm/@evil%2fpad/-/pad-1.0.0.tgz',
    '/npm/@evil/pad/-/pad-1.0.0.tgz',
    '/npm/-/package/left-pad/dist-tags',
    '/guarded/left-pad',
    '/guarded/left-pad/-/left-pad-1.0.0.tgz',
    '/api/v1/virtual/npm/left-pad/-/left-pad-1.0.0.tgz',
    '/api/v1/remote/guarded/left-pad/-/left-pad-1.0.0.tgz',
    '/raw/secret/key.txt',
    '/raw/secret%2fkey.txt',
    '/raw//secret/key.txt',
    '/raw/x/../secret/key.txt',
    '/raw/secret\\key.txt',
    '/raw/secret/key.txt%00',
    '/files/secret/key.txt',
  ])('%s', async (target) => {
    for (const headers of ['', 'Range: bytes=0-3\r\n', 'Accept: application/vnd.npm.install-v1+json\r\n']) {
      const answer = await raw(target, headers);
      expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
      expect(answer).not.toContain('sha512-');
      expect(answer).not.toContain('TOP-SECRET');
    }
  });

  test('no byte of a blocked file was even asked for', () => {
    expect(upstream.requests.filter(({ path }) => path.includes('/-/') || path.includes('secret'))).toEqual([]);
  });

  test('the refusal says what, by which rule, in the status line, the header and the body', async () => {
    const response = await plane.get('/npm/left-pad/-/left-pad-1.0.0.tgz');
    const help =
      'No exemption lifts this: ask whoever runs this registry; more: entrepot explain pkg:npm/left-pad@1.0.0';
    const says = `left-pad is on the blocklist of "guarded" (^left-pad$). ${help}`;
    expect(response.status).toBe(403);
    expect(response.statusText).toBe(says);
    expect(response.headers.get('x-entrepot-reason')?.replace(/ Decision \S+\./, '')).toBe(says);
    const { error } = (await response.json()) as { error: string };
    expect(error.replace(/ Decision \S+\./, '')).toBe(says);
  });

  test('every refused file is on record', () => {
    const refused = plane.pulls.filter(({ decision }) => decision === 'refused');
    expect(refused.length).toBeGreaterThan(10);
    expect(new Set(refused.map(({ rule }) => rule))).toEqual(new Set(['guarded.blocklist', 'files.blocklist']));
  });
});

describe('nonsense is answered, not obeyed', () => {
  test.each([
    ['/npm/%zz', 400],
    ['/npm/%ff', 400],
    ['/npm/%00', 400],
    [`/npm/${'x'.repeat(20_000)}`, 400],
    ['/npm/..%2f..%2fetc%2fpasswd', 400],
    ['/npm/', 404],
    ['/npm', 404],
    ['/nobody/express', 404],
    ['/npm/-/all', 404],
    ['/raw/file.txt?token=abc', 400],
  ])('%s', async (target, status) => {
    const answer = await raw(target);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status === 400 ? '4(00|14|31)' : status} `));
    expect(answer).not.toContain('abc');
  });

  test.each([
    ['two hosts', 'Host: evil.test\r\n'],
    ['two lengths', 'Content-Length: 3\r\nContent-Length: 4\r\n'],
    ['a length and chunks', 'Content-Length: 3\r\nTransfer-Encoding: chunked\r\n'],
    [
      'two ranges and two conditions',
      'Range: bytes=0-1\r\nRange: bytes=2-3\r\nIf-None-Match: "a"\r\nIf-None-Match: "b"\r\n',
    ],
    ['an upgrade to HTTP/2', 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n'],
  ])('%s', async (_what, headers) => {
    const answer = await raw('/npm/express', headers);
    expect(answer).toMatch(/^HTTP\/1\.1 (200|206|400) /);
    expect(answer).not.toContain('evil.test');
  });

  test('methods a mirror does not have', async () => {
    for (const method of ['PUT', 'DELETE', 'PATCH'])
      expect((await plane.get('/npm/express', {}, method)).status).toBeGreaterThanOrEqual(404);
  });

  test('the process goes on', async () => {
    expect((await plane.get('/npm/express')).status).toBe(200);
  });
});
