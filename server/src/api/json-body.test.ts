import { expect, test } from 'vitest';
import { parseJson } from './json-body.ts';

test('a body is read as it is', () => {
  expect(parseJson(Buffer.from('{"b":1,"a":[null,"ü"]}'))).toEqual({ b: 1, a: [null, 'ü'] });
  expect(parseJson(Buffer.alloc(0))).toBeUndefined();
});

test.each([
  ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'The body is not UTF-8.'],
  ['half a document', Buffer.from('{"a":'), 'The body is not JSON: '],
  [
    'a document as deep as it is long',
    Buffer.from('['.repeat(500_000) + ']'.repeat(500_000)),
    'The body is nested deeper than 40 levels.',
  ],
])('%s are refused', (_, body, message) => {
  expect(() => parseJson(body)).toThrow(message);
});

test('a key that is a prototype is a key like any other', () => {
  const value = parseJson(Buffer.from('{"__proto__":{"admin":true}}')) as Record<string, unknown>;
  expect(Object.keys(value)).toEqual(['__proto__']);
  expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
});
