import { expect, test } from 'vitest';
import { originFor, publicOrigin } from './origin.ts';

const callerBy = (host: string | undefined) => (host === undefined ? {} : { host });
const listening = 'http://127.0.0.1:8080';

test.each([
  ['the loopback name that was asked for', 'localhost:8080', 'http://localhost:8080'],
  ['an IPv6 loopback', '[::1]:8080', 'http://[::1]:8080'],
  ['not a host that is somebody else', 'evil.test:8080', listening],
  ['not a loopback name with a trick in it', '127.0.0.1:8080@evil.test', listening],
  ['not another port', 'localhost:9090', listening],
  ['itself without a Host', undefined, listening],
])('on loopback, links start with %s', (_, host, expected) => {
  expect(originFor(callerBy(host), { baseUrl: undefined, hosts: [], listening })).toBe(expected);
});

test('elsewhere only the hosts that are configured are believed', () => {
  const addresses = { baseUrl: undefined, hosts: ['a.test', 'b.test:8443'], listening: 'https://0.0.0.0:8080' };
  expect(originFor(callerBy('B.test:8443'), addresses)).toBe('https://b.test:8443');
  expect(originFor(callerBy('localhost:8080'), addresses)).toBe('https://a.test');
  expect(publicOrigin(addresses)).toBe('https://a.test');
});

test('behind a proxy that ends TLS, links have its protocol', () => {
  const addresses = { baseUrl: undefined, hosts: ['a.test'], listening: 'http://0.0.0.0:8080' };
  expect(originFor({ host: 'a.test', protocol: 'https' }, addresses)).toBe('https://a.test');
});

test('a base URL holds for everybody', () => {
  expect(
    originFor(callerBy('localhost:8080'), { baseUrl: 'https://packages.test', hosts: ['a.test'], listening }),
  ).toBe('https://packages.test');
});
