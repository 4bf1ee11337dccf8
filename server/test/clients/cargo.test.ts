import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { FreshMachine } from '../support/clients.ts';
import { ClientRegistry } from '../support/clients-registry.ts';
import { requireTool } from '../support/require-tool.ts';

const DEPENDENCIES = {
  Inflector: '0.11',
  anyhow: '1',
  base64: '0.22',
  bitflags: '2',
  bytes: '1',
  'cfg-if': '1',
  chrono: '0.4',
  either: '1',
  flate2: '1',
  hex: '0.4',
  httparse: '1',
  indexmap: '2',
  itertools: '0.14',
  memchr: '2',
  'num-traits': '0.2',
  'percent-encoding': '2',
  rand: '0.9',
  semver: '1',
  serde_json: '1',
  sha2: '0.10',
  smallvec: '1',
  tempfile: '3',
  toml: '0.9',
  url: '2',
  walkdir: '2',
};

const PROGRAM = `fn main() {
    let value: toml::Table = toml::from_str("answer = 42").unwrap();
    println!("{} {}", inflector::cases::snakecase::to_snake_case("It Works"), value["answer"]);
}
`;

interface Locked {
  readonly name: string;
  readonly version: string;
  readonly source: string;
  readonly checksum: string;
}

let registry: ClientRegistry;
let cargo: string;
let lock = '';
/** Digest of the program that was built first. */
let built = '';
const machines: FreshMachine[] = [];

async function fresh(dependencies: Readonly<Record<string, string>>, locked?: string): Promise<FreshMachine> {
  const machine = await FreshMachine.create();
  machines.push(machine);
  await mkdir(join(machine.project, 'src'));
  await mkdir(join(machine.project, '.cargo'));
  await machine.write({
    'Cargo.toml': manifest(dependencies),
    'src/main.rs': dependencies === DEPENDENCIES ? PROGRAM : 'fn main() {}\n',
    '.cargo/config.toml': [
      '[source.crates-io]',
      'replace-with = "entrepot"',
      '[source.entrepot]',
      `registry = "sparse+${registry.url}"`,
      '',
    ].join('\n'),
    ...(locked === undefined ? {} : { 'Cargo.lock': locked }),
  });
  return machine;
}

function manifest(dependencies: Readonly<Record<string, string>>): string {
  const lines = Object.entries(dependencies).map(([name, version]) => `${name} = "${version}"`);
  const head = ['[package]', 'name = "walk"', 'version = "1.0.0"', 'edition = "2021"'];
  return [...head, '[profile.dev]', 'debug = false', '[dependencies]', ...lines, ''].join('\n');
}

const envOf = ({ home, project }: FreshMachine) => ({
  CARGO_HOME: join(home, 'cargo'),
  CARGO_TERM_COLOR: 'never',
  RUSTUP_HOME: process.env['RUSTUP_HOME'] ?? join(homedir(), '.rustup'),
  // Two machines with different folders build the same program.
  RUSTFLAGS: `--remap-path-prefix=${home}=/home --remap-path-prefix=${project}=/project`,
});
const run = (machine: FreshMachine, ...args: readonly string[]) => machine.succeed([cargo, ...args], envOf(machine));
const attempt = (machine: FreshMachine, ...args: readonly string[]) => machine.run([cargo, ...args], envOf(machine));
const lockOf = (machine: FreshMachine) => readFile(join(machine.project, 'Cargo.lock'), 'utf8');
const purls = () =>
  packagesOf(lock)
    .map(({ name, version }) => `pkg:cargo/${name}@${encodeURIComponent(version)}`)
    .sort();

/** Those from a registry; the project itself is none. */
function packagesOf(text: string): Locked[] {
  return text.split('[[package]]\n').flatMap((entry) => {
    const field = (name: string) => new RegExp(`^${name} = "(.+)"$`, 'm').exec(entry)?.[1] ?? '';
    const source = field('source');
    return source === ''
      ? []
      : [{ name: field('name'), version: field('version'), source, checksum: field('checksum') }];
  });
}

/** Of a file, in lower-case hex. */
const sha256 = async (file: string) =>
  createHash('sha256')
    .update(await readFile(file))
    .digest('hex');

/** Of every crate that cargo has downloaded, by file name. */
async function downloaded({ home }: FreshMachine): Promise<Record<string, string>> {
  const cache = join(home, 'cargo/registry/cache');
  const folder = join(cache, (await readdir(cache))[0] ?? '');
  const files = (await readdir(folder)).map(async (file) => [file, await sha256(join(folder, file))] as const);
  return Object.fromEntries(await Promise.all(files));
}

const crates = () =>
  Object.fromEntries(packagesOf(lock).map(({ name, version, checksum }) => [`${name}-${version}.crate`, checksum]));

async function build(machine: FreshMachine): Promise<string> {
  await run(machine, 'fetch');
  await run(machine, 'build', '--frozen');
  const program = join(machine.project, 'target/debug/walk');
  expect((await machine.succeed([program])).trim()).toBe('it_works 42');
  return sha256(program);
}

beforeAll(async () => {
  registry = await ClientRegistry.start('cargo');
});
beforeEach((context) => {
  cargo = requireTool(context, 'cargo', 'rustup installs it');
});
afterEach(async () => {
  for (const machine of machines.splice(0)) await machine.remove();
});
afterAll(() => registry?.stop());

test('builds from the public registry, and every package of its lock file is on record', async () => {
  const machine = await fresh(DEPENDENCIES);
  built = await build(machine);
  lock = await lockOf(machine);
  expect(packagesOf(lock).length).toBeGreaterThan(100);
  expect(await downloaded(machine)).toEqual(crates());
  expect((await registry.pulled()).packages).toEqual(purls());
  expect(registry.upstream.asked).toBeGreaterThan(0);
});

test('the lock file has the checksum of every package and nothing of this server', () => {
  expect(lock).not.toContain('127.0.0.1');
  expect(new Set(packagesOf(lock).map(({ source }) => source)).size).toBe(1);
  for (const { name, checksum } of packagesOf(lock)) expect(checksum, name).toMatch(/^[0-9a-f]{64}$/);
});

test('adds a package', async () => {
  const machine = await fresh({});
  await run(machine, 'add', 'itoa@1');
  expect(await readFile(join(machine.project, 'Cargo.toml'), 'utf8')).toMatch(/^itoa = "1"$/m);
});

test('says that a package is not there', async () => {
  const machine = await fresh({ 'entrepot-no-such-crate-0': '1' });
  const { code, text } = await attempt(machine, 'fetch');
  expect(code).not.toBe(0);
  expect(text).toContain('no matching package named `entrepot-no-such-crate-0` found');
});

test('says why a package is refused', async () => {
  const reason = await registry.block('left-pad');
  const machine = await fresh({ 'left-pad': '1' });
  const { code, text } = await attempt(machine, 'fetch');
  expect(code).not.toBe(0);
  expect(text).toContain(reason);
});

test('builds the same again on a new machine while the upstream is away', async () => {
  await registry.pulled();
  registry.upstream.cut();
  const machine = await fresh(DEPENDENCIES);
  expect(await build(machine)).toBe(built);
  expect(await lockOf(machine)).toBe(lock);
  expect(await downloaded(machine)).toEqual(crates());
  const { packages, caches } = await registry.pulled();
  expect(packages).toEqual(purls());
  expect([...caches]).toEqual(['hit']);
});

test('downloads what the lock file says on a new machine while the upstream is away', async () => {
  const machine = await fresh(DEPENDENCIES, lock);
  await run(machine, 'fetch', '--locked');
  expect(await downloaded(machine)).toEqual(crates());
  expect((await registry.pulled()).packages).toEqual(purls());
});

test('says why a package is refused that was locked before it was blocked', async () => {
  const reason = await registry.block('semver');
  const machine = await fresh(DEPENDENCIES, lock);
  const { code, text } = await attempt(machine, 'fetch', '--locked');
  expect(code).not.toBe(0);
  expect(text).toContain(reason);
  expect((await registry.pulled()).packages.filter((purl) => purl.includes('/semver@'))).toEqual([]);
});
