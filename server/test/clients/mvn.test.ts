import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { FreshMachine } from '../support/clients.ts';
import { ClientRegistry } from '../support/clients-registry.ts';
import { requireTool } from '../support/require-tool.ts';

/** Ranges make mvn read maven-metadata.xml and its checksum. */
const RANGED = { 'org.slf4j:slf4j-api': '[2.0.0,2.0.16]', 'commons-logging:commons-logging': '[1.2,1.3)' };
const PLUGINS = {
  'maven-resources-plugin': '3.3.1',
  'maven-compiler-plugin': '3.13.0',
  'maven-surefire-plugin': '3.5.0',
  'maven-jar-plugin': '3.4.2',
};
const STARTERS = [
  'web',
  'data-jpa',
  'security',
  'actuator',
  'validation',
  'thymeleaf',
  'data-redis',
  'webflux',
  'mail',
];
const CLASS = `package com.acme;

public class Walk {
    public static void main(String[] arguments) {
        org.slf4j.LoggerFactory.getLogger(Walk.class);
        System.out.println("it works");
    }
}
`;

let registry: ClientRegistry;
let mvn: string;
/** Digests of what was built and downloaded first. */
let built = '';
let jars: Record<string, string> = {};
let packages: readonly string[] = [];
const machines: FreshMachine[] = [];

interface Project {
  readonly dependencies: Readonly<Record<string, string>>;
  /** Of Spring Boot, with its BOM and parents. */
  readonly starters?: readonly string[];
}

const WALK: Project = { dependencies: RANGED, starters: STARTERS };

async function fresh(project: Project = WALK): Promise<FreshMachine> {
  const machine = await FreshMachine.create();
  machines.push(machine);
  await mkdir(join(machine.project, 'src/main/java/com/acme'), { recursive: true });
  await machine.write({
    'pom.xml': pom(project),
    'settings.xml': settings(),
    'src/main/java/com/acme/Walk.java': CLASS,
  });
  return machine;
}

/** One mirror for all repositories, also those that poms name. */
function settings(): string {
  return `<settings>
  <mirrors><mirror><id>entrepot</id><mirrorOf>*</mirrorOf><url>${registry.url}</url></mirror></mirrors>
</settings>
`;
}

function pom({ dependencies, starters = [] }: Project): string {
  const all = [
    ...Object.entries(dependencies),
    ...starters.map((name): [string, string] => [`org.springframework.boot:spring-boot-starter-${name}`, '']),
  ].map(([coordinates, version]) => {
    const [group, artifact] = coordinates.split(':');
    const at = version === '' ? '' : `<version>${version}</version>`;
    return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId>${at}</dependency>`;
  });
  const plugins = Object.entries(PLUGINS).map(
    ([name, version]) => `<plugin><artifactId>${name}</artifactId><version>${version}</version></plugin>`,
  );
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>com.acme</groupId><artifactId>walk</artifactId><version>1.0.0</version>
  <properties>
    <maven.compiler.release>11</maven.compiler.release>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
    <project.build.outputTimestamp>2026-01-01T00:00:00Z</project.build.outputTimestamp>
  </properties>
  <dependencyManagement><dependencies><dependency>
    <groupId>org.springframework.boot</groupId><artifactId>spring-boot-dependencies</artifactId>
    <version>3.3.5</version><type>pom</type><scope>import</scope>
  </dependency></dependencies></dependencyManagement>
  <dependencies>${all.join('\n')}</dependencies>
  <build><plugins>${plugins.join('\n')}</plugins></build>
</project>
`;
}

/** With checksums that must be right, and a home and a local repository of the machine's own. */
const command = ({ home }: FreshMachine, ...args: readonly string[]) => [
  mvn,
  '--batch-mode',
  '--strict-checksums',
  '--no-transfer-progress',
  '--settings=settings.xml',
  `-Duser.home=${home}`,
  `-Dmaven.repo.local=${join(home, 'repository')}`,
  ...args,
];
const run = (machine: FreshMachine, ...args: readonly string[]) => machine.succeed(command(machine, ...args));
const attempt = (machine: FreshMachine, ...args: readonly string[]) => machine.run(command(machine, ...args));

const sha256 = async (file: string) =>
  createHash('sha256')
    .update(await readFile(file))
    .digest('hex');

/** Of every jar of the local repository, by path. */
async function downloaded({ home }: FreshMachine): Promise<Record<string, string>> {
  const root = join(home, 'repository');
  const files = (await readdir(root, { recursive: true })).filter((file) => file.endsWith('.jar')).sort();
  return Object.fromEntries(await Promise.all(files.map(async (file) => [file, await sha256(join(root, file))])));
}

async function build(machine: FreshMachine): Promise<string> {
  await run(machine, 'package');
  const jar = join(machine.project, 'target/walk-1.0.0.jar');
  const slf4j = join(machine.home, 'repository/org/slf4j/slf4j-api/2.0.16/slf4j-api-2.0.16.jar');
  const java = requireJava();
  expect(await machine.succeed([java, '-cp', `${jar}:${slf4j}`, 'com.acme.Walk'])).toContain('it works');
  return sha256(jar);
}

const requireJava = () => join(process.env['JAVA_HOME'] ?? '/usr', 'bin/java');

/** `org/slf4j/slf4j-api/2.0.16/slf4j-api-2.0.16.jar` → `pkg:maven/org.slf4j/slf4j-api@2.0.16` */
function purl(path: string): string {
  const [version, artifact, ...group] = dirname(path).split('/').reverse();
  return `pkg:maven/${group.reverse().join('.')}/${artifact}@${version}`;
}

beforeAll(async () => {
  registry = await ClientRegistry.start('maven');
});
beforeEach((context) => {
  mvn = requireTool(context, 'mvn', 'apt-get install maven');
});
afterEach(async () => {
  for (const machine of machines.splice(0)) await machine.remove();
});
afterAll(() => registry?.stop());

test('builds from the public registry, and every jar of its local repository is on record', async () => {
  const machine = await fresh();
  built = await build(machine);
  jars = await downloaded(machine);
  expect(Object.keys(jars).length).toBeGreaterThan(100);
  packages = (await registry.pulled()).packages;
  expect(packages).toEqual(Object.keys(jars).map(purl).sort());
  expect(registry.upstream.asked).toBeGreaterThan(0);
});

test('finds a plugin by its prefix', async () => {
  const machine = await fresh({ dependencies: {} });
  expect(await run(machine, 'antrun:help')).toContain('BUILD SUCCESS');
});

test('says that an artifact is not there', async () => {
  const machine = await fresh({ dependencies: { 'com.acme.none:entrepot-none': '1' } });
  const { code, text } = await attempt(machine, 'compile');
  expect(code).not.toBe(0);
  expect(text).toMatch(/Could not find artifact com\.acme\.none:entrepot-none:(?:jar|pom):1/);
});

test.each(['1.2', '[1.2,1.3)'])('says why an artifact is refused that is asked for as %s', async (version) => {
  const reason = await registry.block('commons-logging/commons-logging');
  const machine = await fresh({ dependencies: { 'commons-logging:commons-logging': version } });
  const { code, text } = await attempt(machine, 'compile');
  expect(code).not.toBe(0);
  expect(text).toContain(reason);
});

test('builds the same again on a new machine while the upstream is away', async () => {
  await registry.block('com.acme/nothing');
  await registry.pulled();
  registry.upstream.cut();
  const machine = await fresh();
  expect(await build(machine)).toBe(built);
  expect(await downloaded(machine)).toEqual(jars);
  const again = await registry.pulled();
  expect(again.packages).toEqual(packages);
  expect([...again.caches]).toEqual(['hit']);
});

test('says why an artifact is refused that was pulled before it was blocked', async () => {
  const reason = await registry.block('org.hibernate.orm/hibernate-core');
  const machine = await fresh();
  const { code, text } = await attempt(machine, 'compile');
  expect(code).not.toBe(0);
  expect(text).toContain(reason);
  expect((await registry.pulled()).packages.filter((one) => one.includes('/hibernate-core@'))).toEqual([]);
});
