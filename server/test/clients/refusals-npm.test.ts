import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { FreshMachine, type Outcome } from '../support/clients.ts';
import { ClientRegistry } from '../support/clients-registry.ts';
import type { JavascriptClient } from './javascript-client.ts';
import { BUN, npm, PNPM_10, YARN_1, YARN_4 } from './javascript-clients.ts';
import { type Rule, refusedClientSuite } from './refusals-client.ts';

/** Nobody publishes it any more. */
const PACKAGE = 'pkg:npm/left-pad';

let registry: ClientRegistry;
const machines: FreshMachine[] = [];

async function fresh({ settings }: JavascriptClient, files: Readonly<Record<string, string>> = {}) {
  const machine = await FreshMachine.create();
  machines.push(machine);
  await machine.write({ 'package.json': manifest({}), ...settings(registry.url), ...files });
  return machine;
}

const manifest = (dependencies: Readonly<Record<string, string>>) =>
  JSON.stringify({ name: 'walk', version: '1.0.0', private: true, dependencies });

beforeAll(async () => {
  registry = await ClientRegistry.start('npm');
});
afterEach(async () => {
  for (const machine of machines.splice(0)) await machine.remove();
});
afterAll(() => registry?.stop());

const CLIENTS = { 'npm-11': npm(11), 'pnpm-10': PNPM_10, 'yarn-1': YARN_1, 'yarn-4': YARN_4, bun: BUN };

for (const [name, client] of Object.entries(CLIENTS)) {
  describe(name, () => {
    let command: readonly string[];

    const run = (machine: FreshMachine, args: readonly string[]): Promise<Outcome> =>
      machine.run([...command, ...args], client.env?.(machine.home) ?? {});

    async function add(what: string, rule: () => Promise<void>): Promise<Outcome> {
      const machine = await fresh(client);
      await rule();
      return run(machine, [...client.add, what]);
    }

    async function locked(rule: Rule): Promise<Outcome> {
      const files = { 'package.json': manifest({ 'left-pad': '1.3.0' }) };
      const first = await fresh(client, files);
      await run(first, client.install);
      const lock = await readFile(join(first.project, client.lockFile), 'utf8');
      const second = await fresh(client, { ...files, [client.lockFile]: lock });
      await rule(`${PACKAGE}@1.3.0`);
      return run(second, client.installLocked);
    }

    refusedClientSuite({
      client: name as keyof typeof CLIENTS,
      require: (context) => {
        command = client.command(context);
      },
      server: () => registry.server,
      asks: {
        index: (rule) => add('left-pad', () => rule(PACKAGE)),
        version: (rule) => add('left-pad@1.3.0', () => rule(`${PACKAGE}@1.3.0`)),
        file: locked,
        block: (rule) => add('left-pad', () => rule(PACKAGE)),
      },
      ...(name === 'bun' ? { mute: ['index', 'file', 'block'] as const } : {}),
      ...(name === 'yarn-1' ? { mute: ['file'] as const } : {}),
    });
  });
}
