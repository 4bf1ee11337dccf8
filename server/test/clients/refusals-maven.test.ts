import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { FreshMachine, type Outcome } from '../support/clients.ts';
import { ClientRegistry } from '../support/clients-registry.ts';
import { requireTool } from '../support/require-tool.ts';
import { refusedClientSuite } from './refusals-client.ts';

const PACKAGE = 'pkg:maven/commons-logging/commons-logging';

let registry: ClientRegistry;
const machines: FreshMachine[] = [];

async function fresh(files: Readonly<Record<string, string>>): Promise<FreshMachine> {
  const machine = await FreshMachine.create();
  machines.push(machine);
  await machine.write(files);
  return machine;
}

beforeAll(async () => {
  registry = await ClientRegistry.start('maven');
});
afterEach(async () => {
  for (const machine of machines.splice(0)) await machine.remove();
});
afterAll(() => registry?.stop());

describe('mvn', () => {
  let mvn: string;

  async function compile(version: string, rule: () => Promise<void>): Promise<Outcome> {
    const machine = await fresh({ 'pom.xml': pom(version), 'settings.xml': settings() });
    await rule();
    const own = [`-Duser.home=${machine.home}`, `-Dmaven.repo.local=${join(machine.home, 'repository')}`];
    const quiet = ['--batch-mode', '--no-transfer-progress', '--settings=settings.xml'];
    return machine.run([mvn, ...quiet, ...own, 'compiler:compile']);
  }

  const settings = () =>
    `<settings><mirrors><mirror><id>entrepot</id><mirrorOf>*</mirrorOf><url>${registry.url}</url></mirror></mirrors></settings>\n`;

  const pom = (version: string) => `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>com.acme</groupId><artifactId>walk</artifactId><version>1.0.0</version>
  <dependencies><dependency>
    <groupId>commons-logging</groupId><artifactId>commons-logging</artifactId><version>${version}</version>
  </dependency></dependencies>
  <build><plugins><plugin><artifactId>maven-compiler-plugin</artifactId><version>3.13.0</version></plugin></plugins></build>
</project>
`;

  refusedClientSuite({
    client: 'mvn',
    require: (context) => {
      mvn = requireTool(context, 'mvn', 'apt-get install maven');
    },
    server: () => registry.server,
    asks: {
      index: (rule) => compile('[1.2,1.3)', () => rule(PACKAGE)),
      file: (rule) => compile('1.2', () => rule(`${PACKAGE}@1.2`)),
      block: (rule) => compile('1.2', () => rule(PACKAGE)),
    },
  });
});

describe('gradle', () => {
  let gradle: string;
  /** What it compiles of its own is not made anew for each. */
  let home: FreshMachine;

  beforeAll(async () => {
    home = await FreshMachine.create();
  });
  afterAll(() => home?.remove());

  async function fetched(version: string, rule: () => Promise<void>): Promise<Outcome> {
    const machine = await fresh({
      'settings.gradle': "rootProject.name = 'walk'\n",
      'build.gradle': [
        `repositories { maven { url '${registry.url}' } }`,
        'configurations { walk }',
        `dependencies { walk 'commons-logging:commons-logging:${version}' }`,
        "task fetch(type: Copy) { from configurations.walk; into 'jars' }",
        '',
      ].join('\n'),
    });
    await rule();
    const own = [`--gradle-user-home=${join(home.home, 'gradle')}`, `-Duser.home=${home.home}`];
    return machine.run([gradle, '--no-daemon', ...own, 'fetch']);
  }

  refusedClientSuite({
    client: 'gradle',
    require: (context) => {
      gradle = requireTool(context, 'gradle', 'apt-get install gradle');
    },
    server: () => registry.server,
    asks: {
      index: (rule) => fetched('1.+', () => rule(PACKAGE)),
      file: (rule) => fetched('1.2', () => rule(`${PACKAGE}@1.2`)),
      block: (rule) => fetched('1.2', () => rule(PACKAGE)),
    },
  });
});
