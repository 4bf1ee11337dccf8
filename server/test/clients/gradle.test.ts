import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { FreshMachine } from '../support/clients.ts';
import { ClientRegistry } from '../support/clients-registry.ts';
import { requireTool } from '../support/require-tool.ts';

/** A version that is to be looked up, and others with all they need. */
const DEPENDENCIES = [
  'commons-logging:commons-logging:[1.2,1.2.99]',
  ...['web', 'data-jpa', 'security', 'actuator', 'validation', 'thymeleaf', 'data-redis', 'webflux', 'mail'].map(
    (name) => `org.springframework.boot:spring-boot-starter-${name}:3.3.5`,
  ),
  'com.google.guava:guava:33.3.1-jre',
  'org.apache.httpcomponents.client5:httpclient5:5.4.1',
  'org.eclipse.jetty:jetty-server:12.0.14',
];

let registry: ClientRegistry;
let gradle: string;
/** Digests of what was downloaded first, by file name. */
let jars: Record<string, string> = {};
let packages: readonly string[] = [];
const machines: FreshMachine[] = [];

async function fresh(dependencies: readonly string[] = DEPENDENCIES): Promise<FreshMachine> {
  const machine = await FreshMachine.create();
  machines.push(machine);
  await machine.write({
    'settings.gradle': "rootProject.name = 'walk'\n",
    'build.gradle': [
      `repositories { maven { url '${registry.url}' } }`,
      'configurations { walk }',
      `dependencies { ${dependencies.map((one) => `walk '${one}'`).join('\n  ')} }`,
      "task fetch(type: Copy) { from configurations.walk; into 'jars' }",
      '',
    ].join('\n'),
  });
  return machine;
}

const command = ({ home }: FreshMachine) => [
  gradle,
  '--no-daemon',
  `--gradle-user-home=${join(home, 'gradle')}`,
  `-Duser.home=${home}`,
  'fetch',
];

async function fetched(machine: FreshMachine): Promise<Record<string, string>> {
  await machine.succeed(command(machine));
  const folder = join(machine.project, 'jars');
  const files = (await readdir(folder)).sort().map(async (file) => {
    const digest = createHash('sha256').update(await readFile(join(folder, file)));
    return [file, digest.digest('hex')] as const;
  });
  return Object.fromEntries(await Promise.all(files));
}

beforeAll(async () => {
  registry = await ClientRegistry.start('maven');
});
beforeEach((context) => {
  gradle = requireTool(context, 'gradle', 'apt-get install gradle');
});
afterEach(async () => {
  for (const machine of machines.splice(0)) await machine.remove();
});
afterAll(() => registry?.stop());

test('resolves from the public registry, and every jar is on record', async () => {
  jars = await fetched(await fresh());
  expect(Object.keys(jars).length).toBeGreaterThan(100);
  packages = (await registry.pulled()).packages;
  expect(packages.length).toBe(Object.keys(jars).length);
  expect(packages).toContain('pkg:maven/com.google.guava/guava@33.3.1-jre');
});

test.each(['1.2', '1.+'])('is refused an artifact that it asks for as %s', async (version) => {
  const reason = await registry.block('commons-logging/commons-logging');
  const machine = await fresh([`commons-logging:commons-logging:${version}`]);
  const { code, text } = await machine.run(command(machine));
  expect(code).not.toBe(0);
  expect(text).toContain(reason);
});

test('resolves the same again on a new machine while the upstream is away', async () => {
  await registry.block('com.acme/nothing');
  await registry.pulled();
  registry.upstream.cut();
  expect(await fetched(await fresh())).toEqual(jars);
  const again = await registry.pulled();
  expect(again.packages).toEqual(packages);
  expect([...again.caches]).toEqual(['hit']);
});
