import { describe, expect, test } from 'vitest';
import { challengesOf } from './challenge.ts';

const read = (header: string) =>
  challengesOf(header)?.map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

describe('a WWW-Authenticate header is read', () => {
  test.each([
    [
      'Bearer realm="https://auth.test/token",service="registry.test",scope="repository:a/b:pull,push"',
      [['bearer', { realm: 'https://auth.test/token', service: 'registry.test', scope: 'repository:a/b:pull,push' }]],
    ],
    ['BEARER REALM=x', [['bearer', { realm: 'x' }]]],
    ['Bearer realm = "x" ,\tservice= y', [['bearer', { realm: 'x', service: 'y' }]]],
    [
      'Basic realm="a, Bearer realm=b", Bearer realm="c"',
      [
        ['basic', { realm: 'a, Bearer realm=b' }],
        ['bearer', { realm: 'c' }],
      ],
    ],
    [
      'Negotiate, NTLM TlRMTVNTUAAB==, Basic realm="x"',
      [
        ['negotiate', {}],
        ['ntlm', {}],
        ['basic', { realm: 'x' }],
      ],
    ],
    ['Bearer realm="say \\"x\\" \\\\"', [['bearer', { realm: 'say "x" \\' }]]],
    [' ,, Bearer realm="x",,', [['bearer', { realm: 'x' }]]],
    ['', []],
  ])('%s', (header, expected) => expect(read(header)).toEqual(expected));
});

describe('a WWW-Authenticate header is not taken for another', () => {
  test.each([
    ['a quote that is not closed', 'Bearer realm="https://auth.test'],
    ['text after a quote', 'Bearer realm="a"b'],
    ['an escape at the end', 'Bearer realm="a\\"'],
    ['parameters without a scheme', 'realm="x"'],
    ['a name twice', 'Bearer realm="a",Realm="b"'],
    ['no comma between parameters', 'Bearer realm="a" service="b"'],
    ['no comma between schemes', 'Negotiate Basic realm="x"'],
    ['an address without quotes', 'Bearer realm=https://auth.test/token'],
    ['a control character', 'Bearer realm="a\x01b"'],
    ['a line break', 'Bearer realm="a\r\nb"'],
    ['too many challenges', Array.from({ length: 17 }, (_, i) => `S${i}`).join(',')],
    ['too many parameters', `Bearer ${Array.from({ length: 17 }, (_, i) => `p${i}=1`).join(',')}`],
    ['too much of it', `Bearer realm="${'a'.repeat(9000)}"`],
  ])('%s', (_, header) => expect(challengesOf(header)).toBeUndefined());
});

test.each([
  ['blanks', `Bearer a${' '.repeat(8000)}`],
  ['blanks and no value', `Bearer a=${' '.repeat(8000)}!"`],
  ['equals signs', `Bearer ${'='.repeat(8000)}`],
  ['backslashes', `Bearer realm="${'\\'.repeat(8001)}`],
  ['words', 'a '.repeat(4000)],
  ['a word before a quote', `${'a'.repeat(8000)}"`],
])('a header full of %s comes to an end', (_, header) => expect(read(header)?.length ?? 0).toBeLessThan(2));
