import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { FreshMachine, type Skippable } from '../support/clients.ts';
import { ClientRegistry } from '../support/clients-registry.ts';

/** One package of a lock file. */
export interface Pinned {
  readonly name: string;
  readonly version: string;
  /** `sha256:…` of its files. */
  readonly hashes: readonly string[];
}

export interface Lock {
  /** Files by their name; what `installLocked` needs on a new machine. */
  readonly files: Readonly<Record<string, string>>;
  readonly packages: readonly Pinned[];
  /** Every address in it. */
  readonly urls: readonly string[];
}

export interface PythonClient {
  /** The program and its first arguments; skips the test when there is none. */
  readonly command: (context: Skippable) => readonly string[];
  /** Environment of every command. */
  readonly env: (index: string, machine: FreshMachine) => Readonly<Record<string, string>>;
  /** Makes `.venv` and a project that depends on one package; run before `install`. */
  readonly begin: (dependency: string, machine: FreshMachine) => Promise<void>;
  readonly install: (dependency: string) => readonly string[];
  readonly installLocked: readonly string[];
  readonly lock: (machine: FreshMachine) => Promise<Lock>;
  /** What it prints of a package whose index is refused: these clients take that for a package that is not there. */
  readonly unavailable: (name: string) => string;
  /** Installs a file of the lock by its address. */
  readonly installFile: (url: string) => readonly string[];
}

const DEPENDENCY = 'requests';

/** What every installer of this ecosystem has to get done through a virtual repository, in this order. */
export function pythonClientSuite(client: PythonClient): void {
  let registry: ClientRegistry;
  let command: readonly string[];
  let lock: Lock;
  const machines: FreshMachine[] = [];

  const fresh = async (dependency: string = DEPENDENCY): Promise<FreshMachine> => {
    const machine = await FreshMachine.create();
    machines.push(machine);
    await client.begin(dependency, machine);
    return machine;
  };
  const envOf = (machine: FreshMachine) => client.env(`${registry.url}simple/`, machine);
  const run = (machine: FreshMachine, args: readonly string[]) =>
    machine.succeed([...command, ...args], envOf(machine));
  // Where an upstream has no PEP 658 metadata, uv reads a wheel's own by ranges before it fetches the wheel: two pulls.
  const pulled = async () => {
    const { packages, caches } = await registry.pulled();
    return { packages: [...new Set(packages)], caches };
  };
  const purls = () => lock.packages.map(({ name, version }) => `pkg:pypi/${name}@${version}`).sort();

  beforeAll(async () => {
    registry = await ClientRegistry.start('pypi');
  });
  beforeEach((context) => {
    command = client.command(context);
  });
  afterEach(async () => {
    for (const machine of machines.splice(0)) await machine.remove();
  });
  afterAll(() => registry?.stop());

  test('installs from the public registry, and every package of its lock is on record', async () => {
    const machine = await fresh();
    await run(machine, client.install(DEPENDENCY));
    await expectWorks(machine);
    lock = await client.lock(machine);
    expect(lock.packages.map(({ name }) => name)).toEqual(expect.arrayContaining(['requests', 'urllib3', 'idna']));
    expect((await pulled()).packages).toEqual(purls());
    expect(registry.upstream.asked).toBeGreaterThan(0);
  });

  test('the lock sends nobody elsewhere and holds a hash of every package', () => {
    for (const { name, hashes } of lock.packages) expect(hashes, name).not.toEqual([]);
    const elsewhere = lock.urls.filter((url) => !url.startsWith(registry.url));
    expect(elsewhere.length, 'addresses that are not of this server').toBe(0);
    expect(lock.urls.length).toBeGreaterThanOrEqual(lock.packages.length);
  });

  test('does not install a package that is refused', async () => {
    await registry.block('six');
    const machine = await fresh('six');
    const { code, text } = await machine.run([...command, ...client.install('six')], envOf(machine));
    expect(code).not.toBe(0);
    expect(text).toContain(client.unavailable('six'));
    expect((await pulled()).packages).toEqual([]);
  });

  test('installs the same again on a new machine while the upstream is away', async () => {
    registry.upstream.cut();
    const machine = await fresh();
    await run(machine, client.install(DEPENDENCY));
    await expectWorks(machine);
    expect((await client.lock(machine)).packages).toEqual(lock.packages);
    const { packages, caches } = await pulled();
    expect(packages).toEqual(purls());
    expect([...caches]).toEqual(['hit']);
  });

  test('installs from the lock with its hashes on a new machine while the upstream is away', async () => {
    const machine = await fresh();
    await machine.write(lock.files);
    await run(machine, client.installLocked);
    await expectWorks(machine);
    expect((await pulled()).packages).toEqual(purls());
  });

  test('says why a file is refused that was locked before its package was blocked', async () => {
    const url = lock.urls.find((one) => /\/idna-[^/]+\.whl$/.test(one)) ?? '';
    const reason = await registry.block('idna');
    const machine = await fresh();
    await machine.write(lock.files);
    const { code, text } = await machine.run([...command, ...client.installFile(url)], envOf(machine));
    expect(code).not.toBe(0);
    expect(text.replaceAll('\\"', '"')).toContain(reason);
    expect((await pulled()).packages.filter((purl) => purl.includes('/idna@'))).toEqual([]);
  });
}

async function expectWorks(machine: FreshMachine): Promise<void> {
  const python = join(machine.project, '.venv/bin/python');
  expect((await machine.succeed([python, '-c', 'import requests; print(requests.get.__name__)'])).trim()).toBe('get');
}
