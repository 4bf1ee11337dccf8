import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FreshMachine } from '../support/clients.ts';
import { ClientRegistry } from '../support/clients-registry.ts';
import { moduleZip, publishModule } from '../support/go-module.ts';
import { publish } from '../support/npm-package.ts';
import { tar } from '../support/oci-image.ts';
import { requireTool } from '../support/require-tool.ts';
import { ago, modifiedAgo, Week } from '../support/week.ts';

/** Days: the newest is young, before it came a later release of an older line. */
const AGES = { '1.0.0': 100, '1.1.0': 50, '0.9.9': 10, '1.2.0': 2 };

let week: Week;
let machine: FreshMachine;

beforeEach(async () => {
  week = await Week.start();
  machine = await FreshMachine.create();
});

afterEach(async () => {
  await machine.remove();
  await week.stop();
});

test('npm installs the newest release that is old enough, and says that the young one is not there', async (context) => {
  const npm = requireTool(context, 'npm', 'it comes with Node');
  week.serve('npm');
  const releases = Object.entries(AGES).map(([version, days]) => ({
    version,
    at: ago(days),
    tarball: gzipSync(tar({ 'package/package.json': Buffer.from(JSON.stringify({ name: 'widget', version })) })),
  }));
  publish(week.upstream, 'widget', releases);
  await machine.write({ 'package.json': '{"name":"walk","version":"1.0.0"}' });
  const env = { npm_config_registry: `${week.plane.url}/npm/`, npm_config_audit: 'false', npm_config_fund: 'false' };
  await machine.succeed([npm, 'install', 'widget'], env);
  const installed = await readFile(join(machine.project, 'node_modules/widget/package.json'), 'utf8');
  expect(JSON.parse(installed).version).toBe('1.1.0');
  expect((await machine.run([npm, 'install', 'widget@1.2.0'], env)).text).toMatch(/ETARGET|No matching version/);
});

test('go takes the newest version that is old enough for the latest, and lists no other', async (context) => {
  const go = requireTool(context, 'go', 'its own site has it for every system');
  week.serve('go');
  const name = 'example.com/widget';
  const versions = Object.entries(AGES).map(async ([number, days]) => {
    const version = `v${number}`;
    const files = { 'go.mod': `module ${name}\n`, 'widget.go': 'package widget\n' };
    return { version, time: ago(days), zip: await moduleZip(name, version, files) };
  });
  publishModule(week.upstream, name, await Promise.all(versions));
  for (const [number, days] of Object.entries(AGES)) {
    const info = JSON.stringify({ Version: `v${number}`, Time: ago(days) });
    week.say(`/${name}/@v/v${number}.info`, info, 'application/json', { lastModified: modifiedAgo(days) });
  }
  await machine.write({ 'go.mod': 'module example.com/walk\n\ngo 1.21\n' });
  const env = {
    GOPROXY: `${week.plane.url}/go`,
    GONOSUMDB: '*',
    GOPATH: join(machine.home, 'go'),
    GOCACHE: join(machine.home, 'build'),
    GOFLAGS: '-modcacherw -mod=mod',
    GOTOOLCHAIN: 'local',
  };
  await machine.succeed([go, 'get', `${name}@latest`], env);
  expect(await readFile(join(machine.project, 'go.mod'), 'utf8')).toContain(`${name} v1.1.0`);
  const listed = await machine.succeed([go, 'list', '-m', '-versions', name], env);
  expect(listed.trim()).toBe(`${name} v0.9.9 v1.0.0 v1.1.0`);
});

test('cargo locks the newest release that is old enough', async (context) => {
  const cargo = requireTool(context, 'cargo', 'rustup installs it');
  week.serve('cargo');
  const lines = Object.entries(AGES).map(([vers, days]) =>
    JSON.stringify({
      name: 'widget',
      vers,
      deps: [],
      features: {},
      cksum: createHash('sha256').update(vers).digest('hex'),
      yanked: false,
      pubtime: ago(days).replace(/\.\d+/, ''),
    }),
  );
  week.say('/wi/dg/widget', `${lines.join('\n')}\n`, 'text/plain');
  await machine.write({
    'Cargo.toml':
      '[package]\nname = "walk"\nversion = "1.0.0"\n\n[dependencies]\nwidget = "*"\n\n[lib]\npath = "lib.rs"\n',
    'lib.rs': '',
  });
  const replaced = [
    'source.crates-io.replace-with="week"',
    `source.week.registry="sparse+${week.plane.url}/cargo/"`,
  ].flatMap((setting) => ['--config', setting]);
  const env = {
    CARGO_HOME: join(machine.home, 'cargo'),
    RUSTUP_HOME: process.env['RUSTUP_HOME'] ?? join(homedir(), '.rustup'),
  };
  await machine.succeed([cargo, ...replaced, 'generate-lockfile'], env);
  expect(await readFile(join(machine.project, 'Cargo.lock'), 'utf8')).toContain('name = "widget"\nversion = "1.1.0"');
});

test('pip knows the releases that are old enough, and takes the newest that was not yanked', async (context) => {
  const python = requireTool(context, 'python3', 'install Python 3 with pip and venv');
  week.serve('pypi');
  const files = Object.entries(AGES).map(([version, days]) => ({
    filename: `widget-${version}-py3-none-any.whl`,
    url: `https://upstream.test/files/widget-${version}-py3-none-any.whl`,
    hashes: {},
    'upload-time': ago(days),
    yanked: version === '1.1.0' && 'broken',
  }));
  const page = { meta: { 'api-version': '1.1' }, name: 'widget', files };
  week.say('/simple/widget/', JSON.stringify(page), 'application/vnd.pypi.simple.v1+json');
  const env = { PIP_INDEX_URL: `${week.plane.url}/pypi/simple/`, PIP_DISABLE_PIP_VERSION_CHECK: '1' };
  const text = await machine.succeed([python, '-m', 'pip', 'index', 'versions', 'widget'], env);
  expect(text).toContain('widget (1.0.0)');
  expect(text).toMatch(/Available versions: 1\.0\.0, 0\.9\.9$/m);
});

test('mvn takes the highest release that is left for RELEASE, its checksum being right', async (context) => {
  const mvn = requireTool(context, 'mvn', 'apt-get install maven');
  const registry = await ClientRegistry.start('maven');
  try {
    const packages = ['pkg:maven/org.slf4j/slf4j-api?vers=vers:maven/>=2.0.0'];
    await registry.server.manage('PUT', '/blocks/two', { name: 'two', packages, reason: 'not tried yet' });
    await machine.write({
      'pom.xml': `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>com.acme</groupId><artifactId>walk</artifactId><version>1.0.0</version>
  <dependencies><dependency>
    <groupId>org.slf4j</groupId><artifactId>slf4j-api</artifactId><version>RELEASE</version>
  </dependency></dependencies>
  <build><plugins><plugin><artifactId>maven-compiler-plugin</artifactId><version>3.13.0</version></plugin></plugins></build>
</project>
`,
      'settings.xml': `<settings><mirrors><mirror><id>entrepot</id><mirrorOf>*</mirrorOf><url>${registry.url}</url></mirror></mirrors></settings>\n`,
    });
    const own = [`-Duser.home=${machine.home}`, `-Dmaven.repo.local=${join(machine.home, 'repository')}`];
    const strict = ['--batch-mode', '--no-transfer-progress', '--strict-checksums', '--settings=settings.xml'];
    await machine.succeed([mvn, ...strict, ...own, 'compiler:compile']);
    const folder = join(machine.home, 'repository/org/slf4j/slf4j-api');
    const versions = (await readdir(folder, { withFileTypes: true })).flatMap((each) =>
      each.isDirectory() ? each.name : [],
    );
    expect(versions).toEqual(['1.7.36']);
  } finally {
    await registry.stop();
  }
});
