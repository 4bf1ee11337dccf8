import { expect, test } from 'vitest';
import { FileTable } from './file-table.ts';

const file = (path: string, version = '1.0.0') => ({ path, role: 'package' as const, name: 'express', version });

test('a file leads back to its release', () => {
  const table = new FileTable();
  table.put('npm-public', 'express', 'one', [
    file('express/-/express-1.0.0.tgz'),
    file('express/-/express-2.0.0.tgz', '2.0.0'),
  ]);
  expect(table.find('npm-public', 'express', 'express/-/express-2.0.0.tgz')?.version).toBe('2.0.0');
  expect(table.find('npm-public', 'express', 'express/-/express-3.0.0.tgz')).toBeUndefined();
  expect(table.find('another', 'express', 'express/-/express-2.0.0.tgz')).toBeUndefined();
});

test('a path that ends in a slash covers all below it', () => {
  const table = new FileTable();
  table.put('go', 'mod', 'one', [file('mod/@v/v1.0.0/')]);
  expect(table.find('go', 'mod', 'mod/@v/v1.0.0/mod.zip')?.version).toBe('1.0.0');
  expect(table.find('go', 'mod', 'mod/@v/v1.0.01/mod.zip')).toBeUndefined();
});

test('another generation replaces what was listed', () => {
  const table = new FileTable();
  table.put('npm', 'express', 'one', [file('a')]);
  table.put('npm', 'express', 'two', [file('b')]);
  expect(table.has('npm', 'express', 'one')).toBe(false);
  expect(table.find('npm', 'express', 'a')).toBeUndefined();
  expect(table.find('npm', 'express', 'b')).toBeDefined();
});

test('the number of files is bounded; the least recently used index goes first', () => {
  const table = new FileTable(10);
  table.put('npm', 'a', 'one', [file('a1'), file('a2'), file('a3')]);
  table.put('npm', 'b', 'one', [file('b1'), file('b2'), file('b3')]);
  expect(table.find('npm', 'a', 'a1')).toBeDefined();
  table.put('npm', 'c', 'one', [file('c1'), file('c2'), file('c3')]);
  expect(table.find('npm', 'b', 'b1')).toBeUndefined();
  expect(table.find('npm', 'a', 'a1')).toBeDefined();
});

test('a repository that was emptied is forgotten whole', () => {
  const table = new FileTable();
  table.put('npm', 'a', 'one', [file('a1')]);
  table.put('npm-2', 'a', 'one', [file('a1')]);
  table.forget('npm');
  expect(table.find('npm', 'a', 'a1')).toBeUndefined();
  expect(table.find('npm-2', 'a', 'a1')).toBeDefined();
});
