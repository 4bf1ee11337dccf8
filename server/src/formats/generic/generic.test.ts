import { describe, expect, test } from 'vitest';
import { Malformed } from '../../engine/format.ts';
import { get, site } from '../fixtures.ts';
import { generic } from './index.ts';

const parse = (path: string, releases?: readonly string[]) =>
  generic.parse(get(path), { ...site, options: releases === undefined ? {} : { releases } });

describe('a file that never changes', () => {
  test.each([
    'acme/widget/releases/download/v1.2.0/widget.txt',
    'acme/widget/archive/0123456789abcdef0123456789abcdef01234567.tar.gz',
    'dist/widget-1.2.tar.gz',
    'dist/widget_v1.2.3-linux-amd64.zip',
    'dist/1.2.3.tgz',
    'by-digest/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef',
    'by-digest/0123456789abcdef0123456789abcdef01234567/widget',
  ])('%s', (path) => expect(parse(path)).toEqual({ kind: 'artifact', path, role: 'package' }));
});

describe('a file that may change', () => {
  test.each([
    '',
    'dist/',
    'dist/index.json',
    'dist/latest/widget-1.2.3.tar.gz',
    'releases/latest/download/widget-1.2.3.tgz',
    'latest.zip',
    'nightly/widget-1.2.3.zip',
    'acme/widget/releases/download/nightly/widget-1.2.3.zip',
    'acme/widget/releases/download/v1.2.0/checksums.txt',
    'SHA256SUMS',
    'widget.zip',
    'v1.2/widget.zip',
    'docs/page-1.2.html',
    'install.sh',
  ])('%s', (path) => expect(parse(path)).toMatchObject({ kind: 'artifact', path, mutable: true }));
});

test.each(['x-1.0.zip.sha256', 'x-1.0.zip.asc', 'x-1.0.zip.sigstore.json'])('%s is no component of a build', (path) => {
  expect(parse(path)).toMatchObject({ role: 'signature' });
});

describe('patterns of releases', () => {
  const patterns = ['^tools/(?P<name>[a-z]+)/v(?<version>[0-9.]+)/', '^(?P<name>[a-z]+)/'];

  test('say which package a file belongs to, the first that matches', () => {
    expect(parse('tools/widget/v1.2.0/widget-linux', patterns)).toMatchObject({ name: 'widget', version: '1.2.0' });
    expect(parse('gadget/readme', patterns)).toEqual({
      kind: 'artifact',
      path: 'gadget/readme',
      role: 'package',
      mutable: true,
      name: 'gadget',
    });
  });

  test('say nothing of a path that none matches', () => {
    expect(parse('1/2', patterns)).not.toHaveProperty('name');
    expect(parse('widget/1.0', ['widget', '(?P<version>.*)'])).not.toHaveProperty('version');
  });
});

test('a query is refused in words', () => {
  expect(() => generic.parse(get('a.zip', undefined, 'X=1'), site)).toThrow(Malformed);
  expect(() => generic.parse(get('a.zip', undefined, 'X=1'), site)).toThrow(/ask again without the query/);
});

test.each(['PUT', 'POST', 'DELETE'])('%s is nothing it knows', (method) => {
  expect(generic.parse({ ...get('a.zip'), method }, site)).toBeUndefined();
});
