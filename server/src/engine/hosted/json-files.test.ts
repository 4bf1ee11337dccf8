import { describe, expect, test } from 'vitest';
import { Malformed } from '../format.ts';
import { JsonFiles } from './json-files.ts';

const isFile = ([first, , last]: readonly string[]) => first === 'files' && last === 'data';

/** The document and its files, read in pieces of so many bytes. */
function taken(text: string, piece: number, limit = 10_000): { json: unknown; files: [string, string][] } {
  const bytes = Buffer.from(text);
  const document = new JsonFiles(isFile, limit);
  const files: [string, string][] = [];
  for (let at = 0; at < bytes.length; at += piece) {
    for (const { part, bytes: some, begins } of document.take(bytes.subarray(at, at + piece))) {
      if (begins) files.push([part, '']);
      const last = files.at(-1);
      if (last) last[1] += Buffer.from(some).toString('latin1');
    }
  }
  return { json: document.finish(), files };
}

const base64 = (text: string) => Buffer.from(text, 'latin1').toString('base64');

describe.each([1, 2, 3, 7, 64, 100_000])('read %i bytes at a time', (piece) => {
  test('files leave the document, which is otherwise as it was sent', () => {
    const rest = {
      name: 'ü "quoted" \\ \u2028',
      list: [{ data: 'kept' }, [1, null, true]],
      data: 'kept',
      nested: { data: 'kept' },
    };
    const given = {
      ...rest,
      files: { 'a "b"\n.tgz': { type: 'x', data: base64('first ÿ\u0000'), length: 1 }, c: { data: base64('') } },
    };
    for (const indent of [0, 2]) {
      const { json, files } = taken(JSON.stringify(given, null, indent), piece);
      expect(json).toEqual({ ...rest, files: { 'a "b"\n.tgz': { type: 'x', data: '', length: 1 }, c: { data: '' } } });
      expect(files).toEqual([
        ['a "b"\n.tgz', 'first ÿ\u0000'],
        ['c', ''],
      ]);
    }
  });

  test('escaped slashes are slashes', () => {
    const text = `{"files":{"a":{"data":"${base64('ÿÿÿ?ÿ~').replaceAll('/', '\\/')}"}}}`;
    expect(text).toContain('\\/');
    expect(taken(text, piece).files).toEqual([['a', 'ÿÿÿ?ÿ~']]);
  });

  test('a key of an object’s prototype is a key', () => {
    const { json } = taken('{"__proto__":{"x":1},"files":{"__proto__":{"data":"YQ=="}}}', piece);
    expect(Object.keys(json as object)).toEqual(['__proto__', 'files']);
    expect({}).not.toHaveProperty('x');
  });

  test.each([
    ['', 'not JSON'],
    ['{', 'not JSON'],
    ['{"files":{"a":{"data":"YWJj', 'not JSON'],
    ['{"files":{"a":{"data":"YWJj"}}', 'not JSON'],
    ['{"files":{"a":{"data":"YWJj"}}}}', 'not JSON'],
    ['{"files":{"a":{"data":"Y?Jj"}}}', 'not base64'],
    ['{"files":{"a":{"data":"YQ==YQ=="}}}', 'not base64'],
    ['{"files":{"a":{"data":"YWJ"}}}', 'not whole base64'],
    [`{"files":"${'x'.repeat(11_000)}"}`, 'over 10000 bytes'],
    [`{"${'k'.repeat(5000)}":1}`, 'a key of over 4096 bytes'],
    ['['.repeat(600), 'nested more than 500 deep'],
  ])('%j is refused', (text, message) => {
    expect(() => taken(text, piece)).toThrow(Malformed);
    expect(() => taken(text, piece)).toThrow(message);
  });
});

test('a file of any size takes no room of the document’s limit', () => {
  const large = 'x'.repeat(3_000_000);
  const { files } = taken(JSON.stringify({ files: { a: { data: base64(large) } } }), 65_536, 100);
  expect(files[0]?.[1].length).toBe(large.length);
});
