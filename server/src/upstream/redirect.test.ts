import { expect, test } from 'vitest';
import { type Hop, redirected } from './redirect.ts';

const hop = (parts: Partial<Hop> = {}): Hop => ({
  url: new URL('https://upstream.test/a/b?c=d'),
  method: 'GET',
  headers: {},
  ...parts,
});

test.each([
  ['/x', 'https://upstream.test/x'],
  ['x', 'https://upstream.test/a/x'],
  ['?e=f', 'https://upstream.test/a/b?e=f'],
  ['//files.upstream.test/x', 'https://files.upstream.test/x'],
  ['https://user:password@files.upstream.test/x#part', 'https://files.upstream.test/x'],
])('Location %s leads to %s', (location, url) => {
  expect(redirected(hop(), 302, location).url.href).toBe(url);
});

test.each([
  [undefined, /without saying where/],
  ['', /without saying where/],
  ['http://[', /no address/],
  ['file:///etc/passwd', /scheme file/],
  ['data:text/plain,x', /scheme data/],
  ['http://upstream.test/x?token=secret', /from https to http/],
])('Location %s is not followed', (location, message) => {
  expect(() => redirected(hop(), 302, location)).toThrow(
    expect.objectContaining({ failure: 'bad_redirect', message: expect.stringMatching(message) }),
  );
});

test('a reason for not following names no query', () => {
  expect(() => redirected(hop(), 302, 'http://upstream.test/x?token=secret')).toThrow(/^(?!.*secret)/);
});

test.each([301, 302, 303])('a POST answered %d becomes a GET without a body', (status) => {
  const post = hop({
    method: 'POST',
    body: Buffer.from('{}'),
    headers: { 'content-type': 'application/json', accept: 'a/b' },
  });
  expect(redirected(post, status, '/x')).toEqual({
    url: new URL('https://upstream.test/x'),
    method: 'GET',
    headers: { accept: 'a/b' },
  });
});

test.each([307, 308])('a POST answered %d stays what it is', (status) => {
  const post = hop({ method: 'POST', body: Buffer.from('{}'), headers: { 'content-type': 'application/json' } });
  expect(redirected(post, status, '/x')).toEqual({ ...post, url: new URL('https://upstream.test/x') });
});

test('a HEAD stays a HEAD', () => {
  expect(redirected(hop({ method: 'HEAD' }), 303, '/x').method).toBe('HEAD');
});

test('credentials of one request do not leave its origin', () => {
  const headers = { authorization: 'Bearer x', cookie: 'y', accept: 'a/b' };
  expect(redirected(hop({ headers }), 302, '/x').headers).toEqual(headers);
  expect(redirected(hop({ headers }), 302, 'https://upstream.test:8443/x').headers).toEqual({ accept: 'a/b' });
});
