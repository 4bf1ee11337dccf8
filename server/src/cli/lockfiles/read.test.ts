import { readFileSync } from 'node:fs';
import { PackageURL } from '@socketregistry/packageurl-js';
import { expect, test } from 'vitest';
import type { Pin } from './pins.ts';
import { readLockFile } from './read.ts';

const fixture = (path: string): string => readFileSync(new URL(`./fixtures/${path}`, import.meta.url), 'utf8');

const read = (path: string, registries: readonly string[] = []) =>
  readLockFile(path.split('/').at(-1) ?? path, fixture(path), { registries });

/** As the client lists it: `@s/foo 1.0.0`, `group:artifact 1.0`. */
function nameAndVersion(purl: string): string {
  const { type, namespace, name, version } = PackageURL.fromString(purl);
  const full = namespace ? `${namespace}${type === 'maven' ? ':' : '/'}${name}` : name;
  return `${full} ${version}`;
}

/** Names in a client's list that are no pins, and pins that it does not list, with why. */
interface Differences {
  readonly path: string;
  readonly notAsked: readonly string[];
  readonly beyond?: readonly string[];
}

const NPM = ['@acme/private', 'direct', 'from-git', 'local', 'member', 'sample'];
const MAVEN = ['com.acme:from-disk', 'com.example:member'];
const PYTHON = ['acme-private', 'direct', 'from-git', 'local', 'member', 'sample'];
/** The client lists what is for its own platform. */
const OTHER_PLATFORM = { npm: ['fsevents 2.3.3'], python: ['colorama 0.4.6'] };

const LISTED: readonly Differences[] = [
  ...['npm-1', 'npm-2', 'npm-3'].map((folder) => ({ path: `${folder}/package-lock.json`, notAsked: NPM })),
  // pnpm's file does not say which registry a package is from.
  ...['pnpm-5', 'pnpm-6', 'pnpm-7', 'pnpm-8', 'pnpm-9'].map((folder) => ({
    path: `${folder}/pnpm-lock.yaml`,
    notAsked: NPM.filter((name) => name !== '@acme/private'),
  })),
  // yarn and bun list an alias by its own name, and once more by the real one when that is asked for too.
  { path: 'yarn-1/yarn.lock', notAsked: [...NPM, 'old-ms'] },
  { path: 'yarn-4/yarn.lock', notAsked: NPM.filter((name) => name !== '@acme/private') },
  { path: 'bun/bun.lock', notAsked: [...NPM, 'old-ms'], beyond: OTHER_PLATFORM.npm },
  { path: 'requirements/requirements.txt', notAsked: ['direct'], beyond: OTHER_PLATFORM.python },
  { path: 'requirements/requirements-pip-tools.txt', notAsked: ['direct'] },
  { path: 'uv/uv.lock', notAsked: PYTHON },
  // Nor does what uv exports.
  { path: 'uv/requirements-export.txt', notAsked: PYTHON.filter((name) => name !== 'acme-private') },
  { path: 'poetry/poetry.lock', notAsked: PYTHON },
  { path: 'pdm/pdm.lock', notAsked: PYTHON.filter((name) => name !== 'acme-private') },
  { path: 'pipfile/Pipfile.lock', notAsked: PYTHON },
  { path: 'cargo-3/Cargo.lock', notAsked: PYTHON },
  { path: 'cargo-4/Cargo.lock', notAsked: PYTHON },
  { path: 'go-1.22/go.mod', notAsked: [] },
  // The client lists what it downloads; the tests of what is required, and what was looked at to choose versions, are pins too.
  {
    path: 'go-1.22/go.sum',
    notAsked: [],
    beyond: [
      'golang.org/x/mod v0.8.0',
      'golang.org/x/sys v0.5.0',
      'golang.org/x/tools v0.6.0',
      'gopkg.in/check.v1 v0.0.0-20161208181325-20d25e280405',
    ],
  },
  // go mod graph knows no replacements.
  {
    path: 'go-1.16/go.sum',
    notAsked: ['go', 'example.com/local', 'github.com/google/uuid'],
    beyond: ['github.com/google/uuid v1.5.0'],
  },
  ...['tree.txt', 'tree.json', 'console.txt', 'verbose.txt'].map((file) => ({
    path: `maven/${file}`,
    notAsked: MAVEN,
  })),
];

test.each(LISTED)('$path holds what its client lists', ({ path, notAsked, beyond = [] }) => {
  const listed = fixture(`${path.split('/')[0]}/listed.txt`)
    .trim()
    .split('\n');
  const expected = listed.filter((each) => !notAsked.includes(each.slice(0, each.indexOf(' '))));
  const found = read(path).pins.map(({ purl }) => nameAndVersion(purl));
  expect(found.sort()).toEqual([...expected, ...beyond].sort());
});

test.each<readonly [path: string, skipped: Readonly<Record<string, string>>]>([
  [
    'npm-1/package-lock.json',
    {
      '@acme/private@2.0.0': 'from another registry, https://elsewhere.test/npm',
      direct: 'from an address of its own, https://elsewhere.test/files/direct-1.0.0.tgz',
      'from-git': 'from Git',
      local: 'a file or folder',
      member: 'a file or folder',
    },
  ],
  [
    'npm-3/package-lock.json',
    {
      '@acme/private@2.0.0': 'from another registry, https://elsewhere.test/npm',
      'direct@1.0.0': 'from an address of its own, https://elsewhere.test/files/direct-1.0.0.tgz',
      'from-git@3.0.0': 'from Git',
      local: 'a folder of this project',
      'packages/member': 'a folder of this project',
    },
  ],
  [
    'pnpm-5/pnpm-lock.yaml',
    {
      direct: 'from an address of its own, https://elsewhere.test/files/direct-1.0.0.tgz',
      local: 'a link to local',
    },
  ],
  [
    'pnpm-9/pnpm-lock.yaml',
    {
      'direct@https://elsewhere.test/files/direct-1.0.0.tgz':
        'from an address of its own, https://elsewhere.test/files/direct-1.0.0.tgz',
      'from-git@git+file:///srv/git#430c0d4b6fff9b6bb56b5f63226781299268991b': 'from Git',
      'local@file:local': 'a file or folder',
    },
  ],
  [
    'yarn-1/yarn.lock',
    {
      '@acme/private@2.0.0': 'from another registry, https://elsewhere.test/npm',
      'direct@1.0.0': 'from an address of its own, https://elsewhere.test/files/direct-1.0.0.tgz',
      'from-git@3.0.0': 'from Git',
      'local@1.0.0': 'a file or folder',
    },
  ],
  [
    'yarn-4/yarn.lock',
    {
      direct: 'from an address of its own, https://elsewhere.test/files/direct-1.0.0.tgz',
      'from-git': 'from Git',
      fsevents: 'a patch of a release that is listed too',
      local: 'a file or folder',
      member: 'a folder of this project',
      sample: 'a folder of this project',
    },
  ],
  [
    'bun/bun.lock',
    {
      '@acme/private@2.0.0': 'from another registry, https://elsewhere.test/npm',
      direct: 'from an address of its own, https://elsewhere.test/files/direct-1.0.0.tgz',
      'from-git': 'from Git',
      local: 'a file or folder',
      member: 'a folder of this project',
    },
  ],
  [
    'uv/uv.lock',
    {
      'acme-private@2.0.0': 'from another registry, https://elsewhere.test/pypi/simple/',
      direct: 'from an address of its own, https://elsewhere.test/files/direct-1.0.0-py3-none-any.whl',
      'from-git': 'from Git',
      local: 'a file or folder',
      member: 'a folder of this project',
      sample: 'a folder of this project',
    },
  ],
  [
    'uv/requirements-export.txt',
    {
      '-e ./member': 'installed from where it is',
      '../local': 'a file or folder',
      direct: 'from an address of its own, https://elsewhere.test/files/direct-1.0.0-py3-none-any.whl',
      'from-git': 'from an address of its own, git+file:///srv/git@430c0d4b6fff9b6bb56b5f63226781299268991b',
    },
  ],
  [
    'poetry/poetry.lock',
    {
      'acme-private@2.0.0': 'from another registry, https://elsewhere.test/pypi/simple',
      direct: 'from an address of its own, https://elsewhere.test/files/direct-1.0.0-py3-none-any.whl',
      'from-git': 'from Git',
      local: 'a file or folder',
    },
  ],
  [
    'pdm/pdm.lock',
    {
      direct: 'from an address of its own, https://elsewhere.test/files/direct-1.0.0-py3-none-any.whl',
      'from-git': 'from a version control system',
      local: 'a file or folder',
    },
  ],
  [
    'pipfile/Pipfile.lock',
    {
      'acme-private@2.0.0': 'from another registry, https://elsewhere.test/pypi/simple/',
      direct: 'from an address of its own, https://elsewhere.test/files/direct-1.0.0-py3-none-any.whl',
      'from-git': 'from a version control system',
      local: 'a file or folder',
    },
  ],
  [
    'cargo-4/Cargo.lock',
    {
      'acme-private@2.0.0': 'from another registry, https://elsewhere.test/cargo/',
      'from-git@3.0.0': 'from Git',
      'local@1.0.0': 'a folder',
      'member@1.0.0': 'a folder',
      'sample@1.0.0': 'a folder',
    },
  ],
  ['go-1.22/go.mod', { 'example.com/local@v0.0.0': 'replaced by the folder ./local' }],
  [
    'maven/verbose.txt',
    {
      'com.example:member:1.0.0': 'a module of this build',
      'commons-io:commons-io:2.11.0': 'omitted for conflict with 2.15.0',
      'com.acme:from-disk:1.0': 'a file on this machine',
    },
  ],
])('%s says what is not asked about, and why', (path, expected) => {
  const { skipped } = read(path);
  expect(Object.fromEntries(skipped.map(({ what, reason }) => [what, reason]))).toEqual(expected);
});

test('a registry is asked about when it is named, and its packages are pins', () => {
  const { pins, skipped } = read('npm-3/package-lock.json', ['https://elsewhere.test/npm/']);
  expect(pins).toContainEqual(expect.objectContaining({ purl: 'pkg:npm/%40acme/private@2.0.0' }));
  expect(skipped.map(({ what }) => what)).not.toContain('@acme/private@2.0.0');
  expect(read('npm-3/package-lock.json', ['https://elsewhere.test/np']).skipped).toHaveLength(5);
});

const CHALK = `sha512:${Buffer.from(
  'oKnbhFyRIXpUuez8iBMmyEa4nbj4IOQyuhc/wy9kY7/WVPcwIO9VA668Pu8RkO7+0G76SLROeyw9CpQ061i4mA==',
  'base64',
).toString('hex')}`;

const DETAILS: readonly (readonly [path: string, ...pins: Omit<Pin, 'line'>[]])[] = [
  ['npm-1/package-lock.json', { purl: 'pkg:npm/chalk@4.1.2', digest: CHALK }],
  [
    'npm-3/package-lock.json',
    { purl: 'pkg:npm/chalk@4.1.2', digest: CHALK, direct: true },
    { purl: 'pkg:npm/is-odd@3.0.1', digest: expect.any(String), direct: true },
    { purl: 'pkg:npm/is-number@6.0.0', digest: expect.any(String), direct: false },
  ],
  ['pnpm-5/pnpm-lock.yaml', { purl: 'pkg:npm/chalk@4.1.2', digest: CHALK, direct: true }],
  [
    'pnpm-9/pnpm-lock.yaml',
    { purl: 'pkg:npm/chalk@4.1.2', digest: CHALK, direct: true },
    { purl: 'pkg:npm/is-odd@3.0.1', digest: expect.any(String), direct: true },
    { purl: 'pkg:npm/ms@2.0.0', digest: expect.any(String), direct: true },
    { purl: 'pkg:npm/is-number@6.0.0', digest: expect.any(String), direct: false },
  ],
  ['yarn-1/yarn.lock', { purl: 'pkg:npm/chalk@4.1.2', digest: CHALK }],
  [
    'yarn-4/yarn.lock',
    { purl: 'pkg:npm/chalk@4.1.2', direct: true },
    { purl: 'pkg:npm/has-flag@4.0.0', direct: false },
  ],
  [
    'bun/bun.lock',
    { purl: 'pkg:npm/chalk@4.1.2', digest: CHALK, direct: true },
    { purl: 'pkg:npm/is-odd@3.0.1', digest: expect.any(String), direct: true },
  ],
  ['requirements/requirements.txt', { purl: 'pkg:pypi/httpx@0.27.2' }],
  [
    'uv/uv.lock',
    { purl: 'pkg:pypi/jaraco-context@6.0.1', direct: true },
    { purl: 'pkg:pypi/h11@0.16.0', direct: false },
  ],
  ['poetry/poetry.lock', { purl: 'pkg:pypi/jaraco-context@6.0.1' }],
  ['pdm/pdm.lock', { purl: 'pkg:pypi/jaraco-context@6.0.1' }],
  ['pipfile/Pipfile.lock', { purl: 'pkg:pypi/jaraco-context@6.0.1' }],
  [
    'cargo-4/Cargo.lock',
    {
      purl: 'pkg:cargo/itoa@1.0.11',
      digest: 'sha256:49f1f14873335454500d59611f1cf4a4b0f786f9ac11f4312a78e4cf2566695b',
      direct: true,
    },
    { purl: 'pkg:cargo/wasi@0.11.0%2Bwasi-snapshot-preview1', digest: expect.any(String), direct: true },
    { purl: 'pkg:cargo/serde@1.0.229', digest: expect.any(String), direct: false },
  ],
  [
    'go-1.22/go.sum',
    {
      purl: 'pkg:golang/golang.org/x/text@v0.14.0',
      digest: 'h1:ScX5w1eTa3QqT8oi6+ziP7dTV1S2+ALU0bI+0zXKWiQ=',
    },
    { purl: 'pkg:golang/golang.org/x/tools@v0.6.0', only: 'go.mod' },
    { purl: 'pkg:golang/github.com/docker/distribution@v2.8.1%2Bincompatible', digest: expect.any(String) },
  ],
  ['go-1.22/go.mod', { purl: 'pkg:golang/github.com/google/uuid@v1.5.0', direct: true }],
  [
    'maven/tree.json',
    { purl: 'pkg:maven/commons-io/commons-io@2.15.0', direct: true },
    { purl: 'pkg:maven/org.slf4j/slf4j-api@2.0.9', direct: false },
  ],
  ['maven/console.txt', { purl: 'pkg:maven/io.netty/netty-transport-native-epoll@4.1.100.Final', direct: true }],
  ['gradle/gradle.lockfile', { purl: 'pkg:maven/commons-io/commons-io@2.15.0' }],
];

test.each(DETAILS.map(([path, ...expected]) => ({ path, expected })))(
  '$path says what the digest of a pin is and whether the project asks for it',
  ({ path, expected }) => {
    const pins = read(path).pins.map(({ line: _, ...pin }) => pin);
    for (const pin of expected) expect(pins).toContainEqual(pin);
  },
);

test.each([...LISTED.map(({ path }) => path), 'gradle/gradle.lockfile'])('%s says where each pin stands', (path) => {
  const lines = fixture(path).split('\n');
  for (const { purl, line = 0 } of read(path).pins) {
    const { name = '' } = PackageURL.fromString(purl);
    const entry = lines.slice(line - 1, line + 2).join('\n');
    expect(entry).toMatch(new RegExp(`\\b${name.replace(/[-_.]/g, '[-_.]')}\\b`, 'i'));
  }
});

test('gradle.lockfile has every artifact once, and the configurations without any are none', () => {
  expect(read('gradle/gradle.lockfile').pins.map(({ purl }) => purl)).toEqual([
    'pkg:maven/commons-io/commons-io@2.15.0',
    'pkg:maven/junit/junit@4.13.2',
    'pkg:maven/org.hamcrest/hamcrest-core@1.3',
    'pkg:maven/org.slf4j/slf4j-api@2.0.9',
  ]);
});
