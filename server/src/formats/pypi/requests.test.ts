import { describe, expect, test } from 'vitest';
import { Malformed, type Site } from '../../engine/format.ts';
import { get, indexAt, site } from '../fixtures.ts';
import type { Document } from './documents.ts';
import { pypi } from './index.ts';
import { normalize, versionOf } from './names.ts';

const JSON_TYPE = 'application/vnd.pypi.simple.v1+json';
const HTML_TYPE = 'application/vnd.pypi.simple.v1+html';
const PIP = `${JSON_TYPE}, ${HTML_TYPE}; q=0.1, text/html; q=0.01`;
const UV = `${JSON_TYPE}, ${HTML_TYPE};q=0.2, text/html;q=0.01`;

describe('which shape a page has', () => {
  test.each([
    [PIP, '', JSON_TYPE],
    [UV, '', JSON_TYPE],
    [undefined, '', 'text/html; charset=utf-8'],
    ['*/*', '', 'text/html; charset=utf-8'],
    ['text/html', '', 'text/html; charset=utf-8'],
    [HTML_TYPE, '', HTML_TYPE],
    ['application/vnd.pypi.simple.latest+json', '', JSON_TYPE],
    ['application/vnd.pypi.simple.latest+html', '', HTML_TYPE],
    [`${JSON_TYPE};q=0, text/html`, '', 'text/html; charset=utf-8'],
    [`text/html;q=0.1, ${JSON_TYPE};q=0.05`, '', 'text/html; charset=utf-8'],
    ['image/png', '', 'text/html; charset=utf-8'],
    ['text/html', `format=${JSON_TYPE}`, JSON_TYPE],
    [PIP, 'format=text/html', 'text/html; charset=utf-8'],
    [PIP, 'format=image/png', JSON_TYPE],
  ])('Accept %s and query %s: %s', (accept, query, type) => {
    for (const path of ['simple/holy-grail/', 'simple/']) {
      const target = pypi.parse(get(path, accept, query), site);
      if (target?.kind !== 'index') throw new Error(`${path} is not an index`);
      const doc: Document =
        path === 'simple/' ? { kind: 'list', names: [] } : { kind: 'page', name: 'holy-grail', files: [] };
      expect(pypi.index.encode(doc, target, site)?.type).toBe(type);
    }
  });
});

describe('what a request asks for', () => {
  test.each([
    ['simple/Foo_Bar', '', 'foo-bar/'],
    ['simple/foo-bar', '', 'foo-bar/'],
    ['simple/Foo.-_Bar/', '', '../foo-bar/'],
    ['simple/Foo_Bar/', 'format=x', '../foo-bar/?format=x'],
    ['simple', '', 'simple/'],
  ])('%s is elsewhere', (path, query, location) => {
    const target = pypi.parse(get(path, PIP, query), site);
    expect(target).toMatchObject({ kind: 'call', answer: { status: 301, headers: { location } } });
    const arrived = new URL(location, `http://h/pypi/${path}`).pathname.slice('/pypi/'.length);
    expect(pypi.parse(get(arrived, PIP), site)?.kind).toBe('index');
  });

  test.each([
    ['packages/foo-bar/foo_bar-1.0-py3-none-any.whl', 'package'],
    ['packages/foo-bar/foo_bar-1.0-py3-none-any.whl.metadata', 'metadata'],
    ['packages/foo-bar/foo-bar-1.0.tar.gz.asc', 'signature'],
    ['integrity/foo-bar/1.0/foo-bar-1.0.tar.gz/provenance', 'signature'],
  ])('%s is a %s of its project', (path, role) => {
    expect(pypi.parse(get(path), site)).toMatchObject({ kind: 'artifact', path, name: 'foo-bar', role });
  });

  test('an archive has no type that clients would unpack', () => {
    expect(pypi.parse(get('packages/a/a-1.0.tar.gz'), site)).toMatchObject({ type: 'application/octet-stream' });
  });

  test('the older JSON, of a project and of a version', () => {
    expect(pypi.parse(get('pypi/Foo_Bar/json'), site)).toMatchObject({
      path: 'pypi/foo-bar/json',
      name: 'foo-bar',
      view: 'legacy',
    });
    expect(pypi.parse(get('pypi/foo/1.0/json/'), site)).toMatchObject({ path: 'pypi/foo/1.0/json', view: 'legacy' });
  });

  test.each([
    'packages/foo/x.exe/y',
    'packages/Foo/foo-1.0.zip',
    'packages/foo/index.html',
    'simple/foo/bar/',
    'legacy/',
    'pypi/foo',
    'pypi/a/b/c/json',
  ])('nothing at %s', (path) => expect(pypi.parse(get(path), site)).toBeUndefined());

  test.each(['simple/a b/', 'simple/-a/', 'pypi/__proto__/json', 'packages/ü/x.whl'])('%s names no project', (path) => {
    expect(() => pypi.parse(get(path), site)).toThrow(Malformed);
  });
});

describe('where the upstream has it', () => {
  const placesOf = (path: string, options: Site['options']) => pypi.locate?.(indexAt(pypi, path), { ...site, options });

  test('the page, asked for as pip does', () => {
    expect(placesOf('simple/foo/', { index_path: 'simple' })).toEqual([
      { path: 'simple/foo/', headers: { accept: PIP } },
    ]);
    expect(placesOf('simple/', {})?.[0]?.path).toBe('simple/');
  });

  test('where the remote says', () => {
    expect(placesOf('simple/foo/', { index_path: 'root/pypi/+simple' })?.[0]?.path).toBe('root/pypi/+simple/foo/');
    expect(placesOf('simple/foo/', { index_path: '' })?.[0]?.path).toBe('foo/');
    expect(placesOf('pypi/foo/json', { json_api: true })?.[0]?.path).toBe('pypi/foo/json');
    expect(placesOf('pypi/foo/json', { json_api: false })).toEqual([]);
  });
});

describe('the version of a file', () => {
  test.each([
    ['holy_grail-1.0-py3-none-any.whl', 'holy-grail', '1.0'],
    ['holy_grail-1.0-1-py3-none-any.whl', 'holy-grail', '1.0'],
    ['Holy.Grail-1.0.tar.gz', 'holy-grail', '1.0'],
    ['holy-grail-1.0-beta1.zip', 'holy-grail', '1.0b1'],
    ['holy-grail-1.0-1.tar.gz', 'holy-grail', '1.0.post1'],
    ['foo-2-1.0.tar.gz', 'foo-2', '1.0'],
    ['holy_grail-1.0+local.1.tar.bz2', 'holy-grail', '1.0+local.1'],
    ['holy_grail-1.0-py2.7.egg', 'holy-grail', '1.0'],
    ['numpy-1.0.1.dev3460.win32-py2.4.exe', 'numpy', '1.0.1.dev3460'],
    ['numpy-1.0.linux-x86_64.tar.gz', 'numpy', '1.0'],
    ['numpy-oddity.zip', 'numpy', 'oddity'],
    ['unrelated.zip', 'numpy', 'unrelated'],
  ])('%s of %s: %s', (file, project, version) => expect(versionOf(file, project)).toBe(version));

  test('names have one spelling', () => expect(normalize('Foo__.-Bar')).toBe('foo-bar'));
});
