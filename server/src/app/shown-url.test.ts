import { expect, test } from 'vitest';
import { shownUrl } from './shown-url.ts';

test.each([
  ['/npm/express', '/npm/express'],
  ['/npm/@acme%2fui/-/ui-1.0.0.tgz?x=1&y', '/npm/@acme%2fui/-/ui-1.0.0.tgz?x=1&y'],
  ['/npm/express?token=abc&page=2', '/npm/express?token=****&page=2'],
  ['/npm/express?access%5Ftoken=abc', '/npm/express?access%5Ftoken=****'],
  ['/x?X-Amz-Signature=abc&X-Amz-Credential=abc&sig=abc', '/x?X-Amz-Signature=****&X-Amz-Credential=****&sig=****'],
  ['/x?_auth=abc&_password=abc&apiKey=abc&%ZZ=abc', '/x?_auth=****&_password=****&apiKey=****&%ZZ=abc'],
  ['/npm/token/-/token-1.0.0.tgz', '/npm/token/-/token-1.0.0.tgz'],
  ['/npm/-/user/token/npm_abc', '/npm/-/user/token/****'],
  ['/npm/-/npm/v1/tokens/token/abc', '/npm/-/npm/v1/tokens/token/****'],
  ['http://me:abc@host/npm/express', 'http://host/npm/express'],
  ['/generic/https://me:abc@host/file', '/generic/https://host/file'],
  ['/generic/https%3A%2F%2Fme%3Aabc%40host%2Ffile', '/generic/https%3A%2F%2Fhost%2Ffile'],
])('%s is logged as %s', (url, shown) => {
  expect(shownUrl(url)).toBe(shown);
});
