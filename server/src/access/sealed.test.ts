import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Sealer, Unsealable } from './sealed.ts';

const KEY = 'a-secret-key-of-at-least-32-characters';
const OTHER = 'another-key-of-at-least-32-characters';

test('what was sealed is read with the same key, and says nothing of itself', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 8 }), (text) => {
      const sealed = new Sealer(KEY).seal(text, 'a token');
      expect(new Sealer(KEY).open(sealed, 'a token')).toBe(text.toWellFormed());
      expect(sealed).not.toContain(text);
    }),
  );
});

test('the same text is never sealed into the same', () => {
  const sealer = new Sealer(KEY);
  expect(new Set(Array.from({ length: 100 }, () => sealer.seal('text', 'a token'))).size).toBe(100);
});

test('neither another key nor another purpose opens it', () => {
  const sealed = new Sealer(KEY).seal('text', 'a token');
  expect(() => new Sealer(OTHER).open(sealed, 'a token')).toThrow(Unsealable);
  expect(() => new Sealer(KEY).open(sealed, 'the admin token')).toThrow(Unsealable);
});

test('not one character of it can be another, and no part of it is enough', () => {
  const sealer = new Sealer(KEY);
  const sealed = sealer.seal('some text', 'a token');
  for (let position = 0; position < sealed.length - 1; position += 1) {
    const other = sealed[position] === 'A' ? 'B' : 'A';
    const changed = `${sealed.slice(0, position)}${other}${sealed.slice(position + 1)}`;
    expect(() => sealer.open(changed, 'a token'), changed).toThrow(Unsealable);
    expect(() => sealer.open(sealed.slice(0, position), 'a token')).toThrow(Unsealable);
  }
});

test('after a change of the key, what the previous one sealed is read, and known to be sealed by it', () => {
  const before = new Sealer(KEY).seal('text', 'a token');
  const both = new Sealer(OTHER, KEY);
  expect(both.open(before, 'a token')).toBe('text');
  expect(both.isCurrent(before)).toBe(false);
  const after = both.seal('text', 'a token');
  expect(both.isCurrent(after)).toBe(true);
  expect(new Sealer(OTHER).open(after, 'a token')).toBe('text');
  expect(() => new Sealer(KEY).open(after, 'a token')).toThrow(Unsealable);
});
