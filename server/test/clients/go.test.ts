import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { FreshMachine } from '../support/clients.ts';
import { ClientRegistry } from '../support/clients-registry.ts';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { requireTool } from '../support/require-tool.ts';

const MODULE = `module example.com/walk

go 1.21

require (
	github.com/BurntSushi/toml v1.5.0
	github.com/google/uuid v1.6.0
	github.com/pkg/errors v0.9.1
	github.com/sirupsen/logrus v1.9.3
	github.com/spf13/cobra v1.8.1
	go.uber.org/multierr v1.11.0
	golang.org/x/sync v0.7.0
	golang.org/x/text v0.16.0
	gopkg.in/yaml.v3 v3.0.1
)
`;

const PROGRAM = `package main

import (
	"fmt"

	"github.com/BurntSushi/toml"
	"github.com/google/uuid"
	"github.com/pkg/errors"
	"github.com/sirupsen/logrus"
	"github.com/spf13/cobra"
	"go.uber.org/multierr"
	"golang.org/x/sync/errgroup"
	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"gopkg.in/yaml.v3"
)

func main() {
	var value struct{ Answer int }
	_, broken := toml.Decode("answer = 42", &value)
	var group errgroup.Group
	group.Go(func() error { return yaml.Unmarshal([]byte("answer: 42"), &value) })
	command := &cobra.Command{Use: "walk", Run: func(*cobra.Command, []string) {
		fmt.Println(cases.Title(language.English).String("it works"), value.Answer, len(uuid.NewString()))
	}}
	if err := multierr.Combine(broken, group.Wait(), command.Execute()); err != nil {
		logrus.Fatal(errors.Wrap(err, "walk"))
	}
}
`;

/** A program of more than a hundred modules. */
const LARGE = 'github.com/golangci/golangci-lint';
const LARGE_VERSION = 'v1.59.1';
const NAMELESS = 'module example.com/walk\n\ngo 1.21\n';

let registry: ClientRegistry;
let go: string;
let compiled: string;
/** go.mod, go.sum and the digest of the program, as they were made first. */
let first = { mod: '', sum: '', program: '' };
let large = { mod: '', sum: '' };
const machines: FreshMachine[] = [];

async function fresh(files: Readonly<Record<string, string>>): Promise<FreshMachine> {
  const machine = await FreshMachine.create();
  machines.push(machine);
  await machine.write(files);
  return machine;
}

/** The checksum database is the go command's own default: what it does not get through the server it does not get. */
const envOf = ({ home }: FreshMachine, proxy = registry.url.slice(0, -1)) => ({
  GOPROXY: proxy,
  GOPATH: join(home, 'go'),
  GOFLAGS: '-modcacherw -mod=mod -trimpath -buildvcs=false',
  GOTOOLCHAIN: 'local',
  CGO_ENABLED: '0',
  // Of compiled packages alone: the sources of every module are read to find its name in there.
  GOCACHE: compiled,
});
const run = (machine: FreshMachine, ...args: readonly string[]) => machine.succeed([go, ...args], envOf(machine));
const attempt = (machine: FreshMachine, ...args: readonly string[]) => machine.run([go, ...args], envOf(machine));
const text = ({ project }: FreshMachine, file: string) => readFile(join(project, file), 'utf8');

async function build(machine: FreshMachine): Promise<typeof first> {
  await run(machine, 'build', '-o', 'walk');
  const program = join(machine.project, 'walk');
  expect((await machine.succeed([program])).trim()).toBe('It Works 42 36');
  expect(await run(machine, 'mod', 'verify')).toContain('all modules verified');
  const digest = createHash('sha256')
    .update(await readFile(program))
    .digest('hex');
  return { mod: await text(machine, 'go.mod'), sum: await text(machine, 'go.sum'), program: digest };
}

/** Of the modules whose zip go.sum has, not only their go.mod. */
function purls(sum: string): string[] {
  const lines = sum.split('\n').filter((line) => line !== '' && !/^\S+ \S+\/go\.mod /.test(line));
  return lines.map((line) => line.replace(/^(\S+) (\S+) .*$/, (_line, name, version) => purl(name, version))).sort();
}

function purl(name: string, version: string): string {
  return `pkg:golang/${name}@${version.replaceAll('+', '%2B')}`;
}

beforeAll(async () => {
  registry = await ClientRegistry.start('go');
  compiled = await mkdtemp(join(tmpdir(), 'entrepot-compiled-'));
});
beforeEach((context) => {
  go = requireTool(context, 'go', 'its own site has it for every system');
});
afterEach(async () => {
  for (const machine of machines.splice(0)) await machine.remove();
});
afterAll(async () => {
  await registry?.stop();
  await rm(compiled, { recursive: true, force: true });
});

test('builds from the public proxy, each module checked in the checksum database and on record', async () => {
  first = await build(await fresh({ 'go.mod': MODULE, 'main.go': PROGRAM }));
  expect(purls(first.sum)).toEqual(expect.arrayContaining([purl('github.com/BurntSushi/toml', 'v1.5.0')]));
  expect((await registry.pulled()).packages).toEqual(purls(first.sum));
  const sums = (await registry.server.objects('public')).filter(({ path }) => /^sumdb\/.+\/lookup\//.test(path));
  expect(sums.length).toBeGreaterThanOrEqual(purls(first.sum).length);
});

test('downloads a program of more than a hundred modules, all checked and on record', async () => {
  const machine = await fresh({ 'go.mod': NAMELESS });
  for (const what of [LARGE, `${LARGE}/cmd/golangci-lint`]) await run(machine, 'get', `${what}@${LARGE_VERSION}`);
  await run(machine, 'mod', 'download');
  expect(await run(machine, 'mod', 'verify')).toContain('all modules verified');
  large = { mod: await text(machine, 'go.mod'), sum: await text(machine, 'go.sum') };
  expect(purls(large.sum).length).toBeGreaterThan(100);
  expect((await registry.pulled()).packages).toEqual(purls(large.sum));
});

test('finds the newest version, and what a commit is called', async () => {
  const machine = await fresh({ 'go.mod': NAMELESS });
  expect(await run(machine, 'list', '-m', '-versions', 'github.com/BurntSushi/toml')).toContain(' v1.5.0');
  await run(machine, 'get', 'github.com/BurntSushi/toml@latest');
  expect(await text(machine, 'go.mod')).toMatch(/BurntSushi\/toml v1\.\d+\.\d+/);
  const pseudo = 'v0.0.0-20220411194840-2f41105eb62f';
  await run(machine, 'get', `golang.org/x/xerrors@${pseudo}`);
  expect((await registry.pulled()).packages).toContain(purl('golang.org/x/xerrors', pseudo));
});

test('says why a module is refused', async () => {
  const reason = await registry.block('github.com/pkg/errors');
  const machine = await fresh({ 'go.mod': NAMELESS });
  for (const version of ['latest', 'v0.9.1']) {
    const { code, text: said } = await attempt(machine, 'get', `github.com/pkg/errors@${version}`);
    expect(code).not.toBe(0);
    expect(said).toContain(reason);
  }
  expect((await registry.pulled()).packages).toEqual([]);
});

test('goes on to the next proxy of its list for what is not there, never for what is refused', async () => {
  const empty = await FakeUpstream.start();
  empty.quirk('*', { kind: 'status', status: 410 });
  const remote = { name: 'empty', format: 'go', url: empty.url, allow_private_network: true };
  await registry.server.manage('POST', '/remotes', remote);
  const machine = await fresh({ 'go.mod': NAMELESS });
  const list = (proxies: readonly string[]) =>
    envOf(machine, proxies.map((name) => `${registry.server.url}/${name}`).join(','));
  await machine.succeed([go, 'get', 'github.com/google/uuid@v1.6.0'], list(['empty', 'team']));
  expect((await registry.pulled()).packages).toEqual([purl('github.com/google/uuid', 'v1.6.0')]);
  const reason = await registry.block('github.com/pkg/errors');
  const { code, text: said } = await machine.run([go, 'get', 'github.com/pkg/errors@v0.9.1'], list(['team', 'empty']));
  expect(code).not.toBe(0);
  expect(said).toContain(reason);
  await empty.stop();
});

test('builds the same again on a new machine while the upstream is away', async () => {
  await registry.block('example.com/nothing');
  registry.upstream.cut();
  await registry.pulled();
  expect(await build(await fresh({ 'go.mod': first.mod, 'go.sum': first.sum, 'main.go': PROGRAM }))).toEqual(first);
  const { packages, caches } = await registry.pulled();
  expect(packages).toEqual(purls(first.sum));
  expect([...caches]).toEqual(['hit']);
});

test('downloads more than a hundred modules again while the upstream is away', async () => {
  const machine = await fresh({ 'go.mod': large.mod, 'go.sum': large.sum });
  await run(machine, 'mod', 'download');
  expect(await run(machine, 'mod', 'verify')).toContain('all modules verified');
  const { packages, caches } = await registry.pulled();
  expect(packages).toEqual(purls(large.sum));
  expect([...caches]).toEqual(['hit']);
});

test('says why a module is refused that was locked before it was blocked', async () => {
  const reason = await registry.block('github.com/sirupsen/logrus');
  const machine = await fresh({ 'go.mod': first.mod, 'go.sum': first.sum, 'main.go': PROGRAM });
  const { code, text: said } = await attempt(machine, 'build');
  expect(code).not.toBe(0);
  expect(said).toContain(reason);
  expect((await registry.pulled()).packages.filter((one) => one.includes('/logrus@'))).toEqual([]);
});
