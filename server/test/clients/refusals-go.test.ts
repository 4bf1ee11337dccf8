import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { FreshMachine, type Outcome } from '../support/clients.ts';
import { ClientRegistry } from '../support/clients-registry.ts';
import { requireTool } from '../support/require-tool.ts';
import { refusedClientSuite } from './refusals-client.ts';

const NAME = 'github.com/pkg/errors';
const PACKAGE = `pkg:golang/${NAME}`;
const EMPTY = { 'go.mod': 'module example.com/walk\n\ngo 1.21\n' };

let registry: ClientRegistry;
let go: string;
const machines: FreshMachine[] = [];

async function fresh(files: Readonly<Record<string, string>>): Promise<FreshMachine> {
  const machine = await FreshMachine.create();
  machines.push(machine);
  await machine.write(files);
  return machine;
}

/** The checksum database is the go command's own default. */
const env = ({ home }: FreshMachine) => ({
  GOPROXY: registry.url.slice(0, -1),
  GOPATH: join(home, 'go'),
  GOCACHE: join(home, 'build'),
  GOFLAGS: '-modcacherw -mod=mod',
  GOTOOLCHAIN: 'local',
});

async function get(version: string, rule: () => Promise<void>): Promise<Outcome> {
  const machine = await fresh(EMPTY);
  await rule();
  return machine.run([go, 'get', `${NAME}@${version}`], env(machine));
}

beforeAll(async () => {
  registry = await ClientRegistry.start('go');
});
afterEach(async () => {
  for (const machine of machines.splice(0)) await machine.remove();
});
afterAll(() => registry?.stop());

refusedClientSuite({
  client: 'go',
  require: (context) => {
    go = requireTool(context, 'go', 'its own site has it for every system');
  },
  server: () => registry.server,
  asks: {
    index: (rule) => get('latest', () => rule(PACKAGE)),
    version: (rule) => get('v0.9.1', () => rule(`${PACKAGE}@v0.9.1`)),
    file: async (rule) => {
      const first = await fresh(EMPTY);
      await first.succeed([go, 'get', `${NAME}@v0.9.1`], env(first));
      const kept = ['go.mod', 'go.sum'].map(async (file) => [file, await readFile(join(first.project, file), 'utf8')]);
      const second = await fresh(Object.fromEntries(await Promise.all(kept)));
      await rule(`${PACKAGE}@v0.9.1`);
      return second.run([go, 'mod', 'download'], env(second));
    },
    block: (rule) => get('latest', () => rule(PACKAGE)),
  },
});
