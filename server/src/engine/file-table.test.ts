import { expect, test } from 'vitest';
import { FileTable } from './file-table.ts';
import { packFiles } from './listed-files.ts';

const file = (path: string, version = '1.0.0') => ({ path, role: 'package' as const, name: 'express', version });

test('a file leads back to its release', () => {
  const table = new FileTable();
  table.put(
    'npm-public',
    'express',
    'one',
    packFiles([file('express/-/express-1.0.0.tgz'), file('express/-/express-2.0.0.tgz', '2.0.0')]),
  );
  expect(table.find('npm-public', 'express', 'express/-/express-2.0.0.tgz')?.version).toBe('2.0.0');
  expect(table.find('npm-public', 'express', 'express/-/express-3.0.0.tgz')).toBeUndefined();
  expect(table.find('another', 'express', 'express/-/express-2.0.0.tgz')).toBeUndefined();
});

test('a path that ends in a slash covers all below it', () => {
  const table = new FileTable();
  table.put('go', 'mod', 'one', packFiles([file('mod/@v/v1.0.0/')]));
  expect(table.find('go', 'mod', 'mod/@v/v1.0.0/mod.zip')?.version).toBe('1.0.0');
  expect(table.find('go', 'mod', 'mod/@v/v1.0.01/mod.zip')).toBeUndefined();
});

test('a release is known by any of its files', () => {
  const table = new FileTable();
  table.put('npm', 'express', 'one', packFiles([file('express/-/express-1.0.0.tgz')]));
  expect(table.hasRelease('npm', 'express', { name: 'express', version: '1.0.0' })).toBe(true);
  expect(table.hasRelease('npm', 'express', { name: 'express', version: '2.0.0' })).toBe(false);
  expect(table.hasRelease('npm', 'express', { name: 'lodash', version: '1.0.0' })).toBe(false);
  expect(table.hasRelease('npm', 'express', {})).toBe(false);
  expect(table.hasRelease('another', 'express', { name: 'express', version: '1.0.0' })).toBe(false);
});

test('another generation replaces what was listed', () => {
  const table = new FileTable();
  table.put('npm', 'express', 'one', packFiles([file('a')]));
  table.put('npm', 'express', 'two', packFiles([file('b')]));
  expect(table.has('npm', 'express', 'one')).toBe(false);
  expect(table.find('npm', 'express', 'a')).toBeUndefined();
  expect(table.find('npm', 'express', 'b')).toBeDefined();
});

test('memory is bounded; the least recently used index goes first, and that it went is said once', () => {
  const table = new FileTable(2000);
  const three = (name: string) => packFiles([file(`${name}1`), file(`${name}2`), file(`${name}3`)]);
  table.put('npm', 'a', 'one', three('a'));
  table.put('npm', 'b', 'one', three('b'));
  expect(table.find('npm', 'a', 'a1')).toBeDefined();
  expect(table.wasShort('npm')).toBe(false);
  table.put('npm', 'c', 'one', three('c'));
  expect(table.find('npm', 'b', 'b1')).toBeUndefined();
  expect(table.find('npm', 'a', 'a1')).toBeDefined();
  expect(table.wasShort('npm')).toBe(true);
  expect(table.wasShort('npm')).toBe(false);
});

test('an index larger than all memory is kept alone', () => {
  const table = new FileTable(2500);
  table.put('debian', 'Packages', 'one', packFiles(Array.from({ length: 5000 }, (_, at) => file(`pool/${at}.deb`))));
  expect(table.find('debian', 'Packages', 'pool/4321.deb')).toEqual(file('pool/4321.deb'));
  expect(table.find('debian', 'Packages', 'pool/5000.deb')).toBeUndefined();
});

test('a file is found in whichever index lists it, the one read last first', () => {
  const table = new FileTable();
  table.put('debian', 'old', 'one', packFiles([file('pool/a.deb', '1'), file('pool/b.deb', '1')]));
  table.put('debian', 'new', 'one', packFiles([file('pool/a.deb', '2')]));
  expect(table.findAnywhere('debian', 'pool/a.deb')?.version).toBe('2');
  expect(table.findAnywhere('debian', 'pool/b.deb')?.version).toBe('1');
  expect(table.findAnywhere('debian', 'pool/c.deb')).toBeUndefined();
  expect(table.findAnywhere('other', 'pool/a.deb')).toBeUndefined();
});

test('of two files with one path the first listed counts; names of any script are found', () => {
  const table = new FileTable();
  table.put('npm', 'a', 'one', packFiles([file('café/一.tgz', '1'), file('café/一.tgz', '2')]));
  expect(table.find('npm', 'a', 'café/一.tgz')?.version).toBe('1');
});

test('a repository that was emptied is forgotten whole', () => {
  const table = new FileTable();
  table.put('npm', 'a', 'one', packFiles([file('a1')]));
  table.put('npm-2', 'a', 'one', packFiles([file('a1')]));
  table.forget('npm');
  expect(table.find('npm', 'a', 'a1')).toBeUndefined();
  expect(table.find('npm-2', 'a', 'a1')).toBeDefined();
});
