import { readFileSync } from 'node:fs';
import { PackageURL, UrlConverter } from '@socketregistry/packageurl-js';
import { expect, test } from 'vitest';
import type { Kind } from './kind.ts';
import { LockFileError } from './lock-text.ts';
import { readLockFile } from './read.ts';

const fixture = (path: string): string => readFileSync(new URL(`./fixtures/${path}`, import.meta.url), 'utf8');

/** The one sentence with which a file is refused. */
function refusal(name: string, text: string, kind?: Kind): string {
  try {
    readLockFile(name, text, { kind });
  } catch (error) {
    expect(error).toBeInstanceOf(LockFileError);
    return (error as Error).message;
  }
  throw new Error(`${name} was read`);
}

const purls = (name: string, text: string): readonly string[] => readLockFile(name, text).pins.map(({ purl }) => purl);

test.each<readonly [name: string, text: string, message: string]>([
  [
    'package-lock.json',
    '{\n "packages": {\n  "node_modules/a": {"version": "1.0.0"}\n',
    'package-lock.json:4: is not JSON',
  ],
  ['package-lock.json', '{"lockfileVersion": 3,\n}', 'package-lock.json:2: is not JSON: property name expected'],
  ['package-lock.json', '{"a": 1}', 'package-lock.json: has neither "packages" nor "dependencies"'],
  ['package-lock.json', '[]', 'package-lock.json: has neither'],
  ['package-lock.json', '{"packages":{\n"node_modules/a":{}}}', 'package-lock.json:2: a has no version'],
  [
    'package-lock.json',
    '{"packages":{\n"node_modules/":{"version":"1.0.0"}}}',
    'package-lock.json:2: "@1.0.0" is no package',
  ],
  ['package-lock.json', '{"packages":{},\n"packages":{}}', 'package-lock.json:2: "packages" stands there twice'],
  ['package-lock.json', '<<<<<<< HEAD\n{}', 'package-lock.json:1: is not JSON'],
  ['pnpm-lock.yaml', "lockfileVersion: '9.0'\npackages:\n  a@1.0.0: {x: [\n", 'pnpm-lock.yaml:4: is not YAML'],
  [
    'pnpm-lock.yaml',
    "lockfileVersion: '9.0'\npackages:\n  a@1: {}\n  a@1: {}\n",
    'pnpm-lock.yaml:4: is not YAML: duplicated mapping key',
  ],
  ['pnpm-lock.yaml', "lockfileVersion: '9.0'\npackages:\n  ms@2.1", 'pnpm-lock.yaml: "packages" holds no packages'],
  [
    'pnpm-lock.yaml',
    "lockfileVersion: '9.0'\npackages:\n  ms@2.1.3:\n",
    'pnpm-lock.yaml:3: ms@2.1.3 has no resolution',
  ],
  ['pnpm-lock.yaml', 'packages: {}', 'pnpm-lock.yaml: has no lockfileVersion'],
  ['pnpm-lock.yaml', "lockfileVersion: '10.0'", 'pnpm-lock.yaml: lockfileVersion 10 is not known here; 5 to 9 are'],
  ['yarn.lock', 'a@^1:\n  version "1"\n', 'yarn.lock: has neither "# yarn lockfile v1" nor "__metadata"'],
  ['yarn.lock', '# yarn lockfile v1\n\na@^1:\n  version "1.0.0\n', 'yarn.lock:4: is not a lock file of yarn 1'],
  ['yarn.lock', '# yarn lockfile v1\n\na@^1:\n  resolved "x"\n', 'yarn.lock:3: a@^1 has no version'],
  [
    'yarn.lock',
    '# yarn lockfile v1\n\na@1:\n  version "1.0.0"\n\na@1:\n  version "1.0.1"\n',
    'yarn.lock:6: a@1 stands there twice',
  ],
  ['yarn.lock', '__metadata:\n  version: 8\n\n"a@npm:1":\n  version: 1\n', 'yarn.lock:4: a@npm:1 has no resolution'],
  ['bun.lock', '{"lockfileVersion": 1, "packages": {\n"a": ["a"]}}', 'bun.lock:2: a is no package and version'],
  ['package-lock.json', '{"packages":[]}', 'package-lock.json: "packages" holds no packages'],
  [
    'package-lock.json',
    '{"dependencies":\n{"a":{"version":"1","dependencies":1}}}',
    'package-lock.json:2: "dependencies" holds',
  ],
  ['bun.lock', '{"lockfileVersion": 1, "packages": []}', 'bun.lock: "packages" holds no packages'],
  ['Pipfile.lock', '{"_meta": {}, "develop": 1}', 'Pipfile.lock: "develop" holds no packages'],
  ['Cargo.lock', 'version = 4\n', 'Cargo.lock: has no packages'],
  ['poetry.lock', 'package = 1\n[metadata]\n', 'poetry.lock: has no packages'],
  ['tree.json', '{"groupId":"g","artifactId":"a","version":"1","children":{}}', 'tree.json:1: children are a list'],
  ['bun.lockb', '#!/usr/bin/env bun', 'bun.lockb: is binary: bun install --save-text-lockfile writes bun.lock'],
  ['requirements.txt', 'requests==1.0\n???\n', 'requirements.txt:2: "???" is no requirement'],
  ['requirements.txt', 'a b==1.0\n', 'requirements.txt:1: "a b==1.0" is no requirement'],
  ['uv.lock', 'version = 1\n[[package]]\nname = "a\n', 'uv.lock:3: is not TOML'],
  ['uv.lock', '[[package]]\nversion = "1"\n', 'uv.lock:1: a package has no name'],
  [
    'uv.lock',
    '\n[[package]]\nname = "a"\nsource = { registry = "https://upstream.test" }\n',
    'uv.lock:2: a has no version',
  ],
  ['poetry.lock', '[[package]]\nname = "a"\nversion = 1\n', 'poetry.lock:1: the version of a is no text'],
  ['Pipfile.lock', '{"default": {}}', 'Pipfile.lock: has no "_meta"'],
  ['Pipfile.lock', '{"_meta": {},\n"default": {"a": {"version": "*"}}}', 'Pipfile.lock:2: a has no version'],
  ['Cargo.lock', '[[package]]\nname = "a"\n', 'Cargo.lock:1: a has no version'],
  ['go.sum', 'example.com/a v1.0.0 h1:x=\nexample.com/a v1.0', 'go.sum:2: is not a go.sum'],
  ['go.mod', 'module a\n\nrequire (\n\tb v1.0.0\n', 'go.mod: ends within require'],
  ['go.mod', 'module a\n\nrequire b\n', 'go.mod:3: a requirement is a module and a version'],
  ['go.mod', 'hello', 'go.mod: names no module'],
  ['tree.txt', 'g:a:jar:1\n+- g:b:jar:1:compile\n\\- nonsense\n', 'tree.txt:3: "nonsense" is no artifact'],
  [
    'tree.json',
    '{\n "groupId": "g",\n "artifactId": "a"\n}',
    'tree.json:1: an artifact has groupId, artifactId and version',
  ],
  ['gradle.lockfile', 'g:a:1=x\ng:a=x\n', 'gradle.lockfile:2: is not a lock file of Gradle'],
  ['notes.txt', 'hello', 'notes.txt: is no lock file by its name; --kind says which it is: npm, pnpm'],
  ['package-lock.json', '', 'package-lock.json: is empty'],
  ['package-lock.json', '{\0}', 'package-lock.json: is not text'],
])('%s %j is refused: %s', (name, text, message) => {
  const said = refusal(name, text);
  expect(said).toContain(message);
  expect(said).not.toContain('\n');
});

test.each<readonly [name: string, kind: Kind, text: string]>([
  ['JSON', 'npm', `{"packages":{"node_modules/a":${'['.repeat(1_000_000)}`],
  ['JSON of npm 6', 'npm', `{"dependencies":${'{"a":{"version":"1.0.0","dependencies":'.repeat(1000)}{}`],
  ['loose JSON', 'bun', `{"packages":${'{"a":'.repeat(500_000)}`],
  ['YAML in brackets', 'pnpm', `lockfileVersion: '9.0'\npackages: ${'['.repeat(200_000)}`],
  ['YAML in blocks', 'pnpm', Array.from({ length: 3000 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join('')],
  [
    'yarn 1',
    'yarn',
    `# yarn lockfile v1\n${Array.from({ length: 5000 }, (_, depth) => `${' '.repeat(depth * 2)}a:\n`).join('')}`,
  ],
  ['TOML', 'cargo', `a = ${'['.repeat(1_000_000)}`],
  ['trees of Maven', 'maven-tree', `{"groupId":"g","artifactId":"a","version":"1","children":[`.repeat(1000)],
])('%s that is nested too deeply is refused', (_what, kind, text) => {
  expect(refusal('lock', text, kind)).toMatch(/^lock(?::\d+)?: .*(?:nest|deep)/);
});

test('a file of 50 MB is refused by its size', () => {
  expect(refusal('package-lock.json', ' '.repeat(50_000_000))).toBe(
    'package-lock.json: is larger than 32 MiB, which no client writes',
  );
});

test.each<readonly [path: string]>([
  ['npm-3/package-lock.json'],
  ['pnpm-9/pnpm-lock.yaml'],
  ['yarn-1/yarn.lock'],
  ['yarn-4/yarn.lock'],
  ['bun/bun.lock'],
  ['uv/uv.lock'],
  ['poetry/poetry.lock'],
  ['pipfile/Pipfile.lock'],
  ['cargo-4/Cargo.lock'],
  ['maven/tree.json'],
])('%s cut off anywhere is refused with a sentence, or read for what it still says', (path) => {
  const name = path.split('/').at(-1) ?? path;
  const text = fixture(path);
  const whole = new Set(purls(name, text));
  for (let end = 1; end < text.length; end += 97) {
    try {
      readLockFile(name, text.slice(0, end));
    } catch (error) {
      expect(error).toBeInstanceOf(LockFileError);
      expect((error as Error).message).toMatch(new RegExp(`^${name}(?::\\d+)?: `));
    }
  }
  expect(whole.size).toBeGreaterThan(5);
});

test.each<readonly [name: string, text: string]>([
  ['package-lock.json', '{"packages":{"node_modules/__proto__":{"version":"1.0.0"}}}'],
  ['package-lock.json', '{"dependencies":{"__proto__":{"version":"1.0.0"}}}'],
  [
    'pnpm-lock.yaml',
    "lockfileVersion: '9.0'\n__proto__: {packages: {a@1.0.0: {}}}\npackages:\n  __proto__@1.0.0: {resolution: {}}\n",
  ],
  ['bun.lock', '{"lockfileVersion":1,"packages":{"__proto__":["__proto__@1.0.0","",{},""]}}'],
])('%s: what is no name of a package is refused, and __proto__ changes nothing', (name, text) => {
  expect(refusal(name, text)).toMatch(/:\d+: ".+" is no package: /);
  expect(({} as Record<string, unknown>)['packages']).toBeUndefined();
});

test('tables called __proto__ are none of ours', () => {
  const text =
    '[__proto__]\npackage = 1\n[[package]]\nname = "a"\nversion = "1.0.0"\n[package.__proto__]\nsource = "x"\n';
  expect(readLockFile('Cargo.lock', text)).toMatchObject({
    pins: [],
    skipped: [{ what: 'a@1.0.0', reason: 'a folder' }],
  });
  expect(({} as Record<string, unknown>)['package']).toBeUndefined();
});

test('a package may be called constructor', () => {
  expect(purls('package-lock.json', '{"dependencies":{"constructor":{"version":"1.0.0"}}}')).toEqual([
    'pkg:npm/constructor@1.0.0',
  ]);
  expect(purls('pnpm-lock.yaml', "lockfileVersion: '9.0'\ndependencies: {constructor: 1.0.0}\n")).toEqual([]);
});

test('YAML that repeats itself is refused', () => {
  const steps = Array.from(
    { length: 30 },
    (_, step) => `a${step}: &a${step} [${`*a${step - 1}, `.repeat(step === 0 ? 0 : 9)}]`,
  );
  expect(refusal('pnpm-lock.yaml', `lockfileVersion: '9.0'\n${steps.join('\n')}\npackages: *a29\n`)).toBe(
    'pnpm-lock.yaml:2: has an anchor, which no client writes',
  );
});

test('one release written in several ways is one pin', () => {
  const text = 'Foo.Bar[x]==1.0-BETA1 ; python_version > "3"  # why\nfoo_bar == 1.0b1\n\uFEFF';
  expect(purls('requirements.txt', `\uFEFF${text.slice(0, -1)}`)).toEqual(['pkg:pypi/foo-bar@1.0b1']);
});

test('requirements that hold to no version, and options, are told apart', () => {
  const text = [
    '--index-url https://upstream.test/simple',
    '-r other.txt',
    'a>=1.0',
    'b==1.*',
    'c',
    'd===2.0 \\',
    '    --hash=sha256:00aa',
    'e @ https://elsewhere.test/e.whl',
    './folder',
    'git+https://elsewhere.test/x.git#egg=x',
  ];
  expect(readLockFile('requirements.txt', text.join('\r\n'))).toEqual({
    kind: 'requirements',
    pins: [{ purl: 'pkg:pypi/d@2.0', line: 6, digest: 'sha256:00aa' }],
    skipped: [
      { what: '-r other.txt', reason: 'another file: check it by itself', line: 2 },
      { what: 'a', reason: 'not held to one version', line: 3 },
      { what: 'b', reason: 'not held to one version', line: 4 },
      { what: 'c', reason: 'not held to one version', line: 5 },
      { what: 'e', reason: 'from an address of its own, https://elsewhere.test/e.whl', line: 8 },
      { what: './folder', reason: 'a file or folder', line: 9 },
      { what: 'git+https://elsewhere.test/x.git#egg=x', reason: 'from a version control system', line: 10 },
    ],
  });
});

test('Cargo.lock of the first version has its checksums apart', () => {
  const source = 'registry+https://upstream.test/cargo-index';
  const text = `[[package]]\nname = "a"\nversion = "1.0.0"\nsource = "${source}"\n\n[metadata]\n"checksum a 1.0.0 (${source})" = "${'ab'.repeat(32)}"\n`;
  expect(readLockFile('Cargo.lock', text).pins).toEqual([
    { purl: 'pkg:cargo/a@1.0.0', line: 1, direct: false, digest: `sha256:${'ab'.repeat(32)}` },
  ]);
});

test('the public registry of Cargo is known by its old index, also where most packages are from elsewhere', () => {
  const url = UrlConverter.toDownloadUrl(PackageURL.fromString('pkg:cargo/a@1.0.0'))?.url ?? '';
  const source = `registry+https://git.test/rust-lang/${new URL(url).hostname}-index`;
  const locked = (name: string, from: string) =>
    `[[package]]\nname = "${name}"\nversion = "1.0.0"\nsource = "${from}"\n\n`;
  const elsewhere = ['b', 'c'].map((name) => locked(name, 'sparse+https://elsewhere.test/')).join('');
  const { pins } = readLockFile('Cargo.lock', locked('a', source) + elsewhere);
  expect(pins.map(({ purl }) => purl)).toContain('pkg:cargo/a@1.0.0');
});

test('files of most kinds are known by their names, trees of Maven by what is in them', () => {
  expect(readLockFile('a/b/npm-shrinkwrap.json', '{"packages":{}}').kind).toBe('npm');
  expect(readLockFile('requirements-dev.txt', 'a==1').kind).toBe('requirements');
  expect(readLockFile('build.log', 'g:a:jar:1\n\\- g:b:jar:1:compile\n').kind).toBe('maven-tree');
  expect(readLockFile('buildscript-gradle.lockfile', 'g:a:1=classpath').kind).toBe('gradle');
  expect(readLockFile('anything', 'g:a:1\n', { kind: 'gradle' }).pins).toHaveLength(1);
});
