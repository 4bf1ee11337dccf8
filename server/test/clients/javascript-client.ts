import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { FreshMachine, type Skippable } from '../support/clients.ts';
import { ClientRegistry } from '../support/clients-registry.ts';

/** One package of a lock file. */
export interface Locked {
  readonly name: string;
  readonly version: string;
  /** Where the lock file says it is; absent when it leaves that to the settings. */
  readonly url?: string;
  /** As the lock file writes it. */
  readonly integrity?: string;
}

export interface JavascriptClient {
  /** The program and its first arguments; skips the test when there is none. */
  readonly command: (context: Skippable) => readonly string[];
  /** Files of a project besides package.json that send the client to `registry`. */
  readonly settings: (registry: string) => Readonly<Record<string, string>>;
  readonly env?: (home: string) => Readonly<Record<string, string>>;
  readonly install: readonly string[];
  /** Installs what the lock file says, and nothing else. */
  readonly installLocked: readonly string[];
  readonly add: readonly string[];
  readonly lockFile: string;
  readonly locked: (text: string) => Locked[];
  /** What it prints when the address of a package or of its file is refused; default: the reason. */
  readonly refused?: { readonly index?: (address: string) => string; readonly file?: (address: string) => string };
}

const MANIFEST = JSON.stringify({
  name: 'walk',
  version: '1.0.0',
  private: true,
  dependencies: { express: '^4.21.0', '@types/ms': '^2.1.0' },
});

/** What every package manager of this ecosystem has to get done through a virtual repository, in this order. */
export function javascriptClientSuite(client: JavascriptClient): void {
  let registry: ClientRegistry;
  let command: readonly string[];
  let lock = '';
  const machines: FreshMachine[] = [];

  const fresh = async (files: Readonly<Record<string, string>> = {}): Promise<FreshMachine> => {
    const machine = await FreshMachine.create();
    machines.push(machine);
    await machine.write({ 'package.json': MANIFEST, ...client.settings(registry.url), ...files });
    return machine;
  };
  const envOf = (machine: FreshMachine) => client.env?.(machine.home) ?? {};
  const run = (machine: FreshMachine, args: readonly string[]) =>
    machine.succeed([...command, ...args], envOf(machine));
  const lockOf = (machine: FreshMachine) => readFile(join(machine.project, client.lockFile), 'utf8');
  const purls = () => client.locked(lock).map(purl).sort();

  beforeAll(async () => {
    registry = await ClientRegistry.start('npm');
  });
  beforeEach((context) => {
    command = client.command(context);
  });
  afterEach(async () => {
    for (const machine of machines.splice(0)) await machine.remove();
  });
  afterAll(() => registry?.stop());

  test('installs from the public registry, and every package of its lock file is on record', async () => {
    const machine = await fresh();
    await run(machine, client.install);
    await expectWorks(machine);
    lock = await lockOf(machine);
    expect(client.locked(lock).map(({ name }) => name)).toEqual(expect.arrayContaining(['express', '@types/ms']));
    expect((await registry.pulled()).packages).toEqual(purls());
    expect(registry.upstream.asked).toBeGreaterThan(0);
  });

  test('the lock file sends nobody elsewhere and holds the integrity of every package', () => {
    for (const { name, url, integrity } of client.locked(lock)) {
      expect(integrity, name).toBeTruthy();
      if (url !== undefined) expect(url.startsWith(registry.url), `${name} is locked to another address`).toBe(true);
    }
  });

  test('says why a package is refused', async () => {
    const reason = await registry.block('left-pad');
    const machine = await fresh({ 'package.json': JSON.stringify({ name: 'walk', version: '1.0.0', private: true }) });
    const { code, text } = await machine.run([...command, ...client.add, 'left-pad'], envOf(machine));
    expect(code).not.toBe(0);
    expect(unescaped(text)).toContain(client.refused?.index?.(`${registry.url}left-pad`) ?? reason);
  });

  test('installs the same again on a new machine while the upstream is away', async () => {
    registry.upstream.cut();
    const machine = await fresh();
    await run(machine, client.install);
    await expectWorks(machine);
    expect(client.locked(await lockOf(machine))).toEqual(client.locked(lock));
    const { packages, caches } = await registry.pulled();
    expect(packages).toEqual(purls());
    expect([...caches]).toEqual(['hit']);
  });

  test('installs from the lock file on a new machine while the upstream is away', async () => {
    const machine = await fresh({ [client.lockFile]: lock });
    await run(machine, client.installLocked);
    await expectWorks(machine);
    expect(await lockOf(machine)).toBe(lock);
    expect((await registry.pulled()).packages).toEqual(purls());
  });

  test('says why a package is refused that was locked before it was blocked', async () => {
    const { version } = client.locked(lock).find(({ name }) => name === 'vary') ?? {};
    const reason = await registry.block('vary');
    const machine = await fresh({ [client.lockFile]: lock });
    const { code, text } = await machine.run([...command, ...client.installLocked], envOf(machine));
    expect(code).not.toBe(0);
    const address = `${registry.url}vary/-/vary-${version}.tgz`;
    expect(unescaped(text)).toContain(client.refused?.file?.(address) ?? reason);
    expect((await registry.pulled()).packages.filter((purl) => purl.includes('/vary@'))).toEqual([]);
  });
}

/** Some clients print text as a string literal. */
function unescaped(text: string): string {
  return text.replaceAll('\\"', '"');
}

async function expectWorks(machine: FreshMachine): Promise<void> {
  const said = await machine.succeed([process.execPath, '-p', "typeof require('express')().get"]);
  expect(said.trim()).toBe('function');
  const types = await readFile(join(machine.project, 'node_modules/@types/ms/package.json'), 'utf8');
  expect(JSON.parse(types).name).toBe('@types/ms');
}

function purl({ name, version }: Locked): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}
