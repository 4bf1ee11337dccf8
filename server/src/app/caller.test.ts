import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { callers } from './caller.ts';

const request = (remoteAddress: string, headers: Record<string, string>): IncomingMessage =>
  ({ socket: { remoteAddress }, connection: { remoteAddress }, headers }) as unknown as IncomingMessage;

const forwarded = {
  host: 'inside:8080',
  'x-forwarded-for': '192.0.2.7, 10.0.0.2',
  'x-forwarded-host': 'packages.test',
  'x-forwarded-proto': 'https',
};

test('forwarded headers of a trusted proxy are believed', () => {
  expect(callers(['10.0.0.0/8'])(request('10.0.0.1', forwarded))).toEqual({
    address: '192.0.2.7',
    host: 'packages.test',
    protocol: 'https',
  });
});

test('those of anybody else are not', () => {
  const own = { address: '198.51.100.9', host: 'inside:8080' };
  expect(callers(['10.0.0.0/8'])(request('198.51.100.9', forwarded))).toEqual(own);
  expect(callers([])(request('198.51.100.9', forwarded))).toEqual(own);
});

test('a client behind a trusted proxy cannot name another address than its own', () => {
  const spoofed = { ...forwarded, 'x-forwarded-for': '127.0.0.1, 198.51.100.9' };
  expect(callers(['10.0.0.1'])(request('10.0.0.1', spoofed)).address).toBe('198.51.100.9');
});

test('a protocol that is none is not passed on', () => {
  expect(
    callers(['10.0.0.1'])(request('10.0.0.1', { ...forwarded, 'x-forwarded-proto': 'gopher' })),
  ).not.toHaveProperty('protocol');
});
