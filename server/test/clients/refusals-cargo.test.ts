import { mkdir, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { FreshMachine, type Outcome } from '../support/clients.ts';
import { ClientRegistry } from '../support/clients-registry.ts';
import { requireTool } from '../support/require-tool.ts';
import { refusedClientSuite } from './refusals-client.ts';

const PACKAGE = 'pkg:cargo/itoa';
/** Not its newest. */
const VERSION = '1.0.10';

let registry: ClientRegistry;
let cargo: string;
const machines: FreshMachine[] = [];

async function project(version: string): Promise<FreshMachine> {
  const machine = await FreshMachine.create();
  machines.push(machine);
  await mkdir(join(machine.project, 'src'));
  await mkdir(join(machine.project, '.cargo'));
  const head = ['[package]', 'name = "walk"', 'version = "1.0.0"', 'edition = "2021"'];
  await machine.write({
    'Cargo.toml': [...head, '[dependencies]', `itoa = "${version}"`, ''].join('\n'),
    'src/main.rs': 'fn main() {}\n',
    '.cargo/config.toml': [
      '[source.crates-io]',
      'replace-with = "entrepot"',
      '[source.entrepot]',
      `registry = "sparse+${registry.url}"`,
      '',
    ].join('\n'),
  });
  return machine;
}

const env = ({ home }: FreshMachine) => ({
  CARGO_HOME: join(home, 'cargo'),
  CARGO_TERM_COLOR: 'never',
  RUSTUP_HOME: process.env['RUSTUP_HOME'] ?? join(homedir(), '.rustup'),
});

async function fetched(version: string, rule: () => Promise<void>): Promise<Outcome> {
  const machine = await project(version);
  await rule();
  return machine.run([cargo, 'fetch'], env(machine));
}

beforeAll(async () => {
  registry = await ClientRegistry.start('cargo');
});
afterEach(async () => {
  for (const machine of machines.splice(0)) await machine.remove();
});
afterAll(() => registry?.stop());

refusedClientSuite({
  client: 'cargo',
  require: (context) => {
    cargo = requireTool(context, 'cargo', 'rustup installs it');
  },
  server: () => registry.server,
  asks: {
    index: (rule) => fetched('1', () => rule(PACKAGE)),
    version: (rule) => fetched(`=${VERSION}`, () => rule(`${PACKAGE}@${VERSION}`)),
    // It knows the index from before, and has lost the crate.
    file: async (rule) => {
      const machine = await project(`=${VERSION}`);
      await machine.succeed([cargo, 'fetch'], env(machine));
      for (const folder of ['cache', 'src'])
        await rm(join(machine.home, 'cargo/registry', folder), { recursive: true, force: true });
      await rule(`${PACKAGE}@${VERSION}`);
      return machine.run([cargo, 'fetch', '--locked'], env(machine));
    },
    block: (rule) => fetched('1', () => rule(PACKAGE)),
  },
});
