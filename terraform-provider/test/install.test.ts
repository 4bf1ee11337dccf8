import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { installProvider } from '../../server/src/cli/terraform-install.ts';
import { terraformSuite } from './support/suite.ts';
import { unwrapped, type Workspace } from './support/terraform.ts';

const suite = terraformSuite();

/** For the user who is at home in `home`. */
const install = (home: string, env: Readonly<Record<string, string>> = {}) =>
  installProvider({
    home,
    env: { PATH: process.env.PATH, ...env },
    node: process.execPath,
    provider: suite.provider(),
  });

const REMOTE =
  'resource "entrepot_remote" "one" {\n  name   = "installed"\n  format = "npm"\n  url    = "https://upstream.test"\n}';

test('after the installation terraform init finds it in any folder, and plan, apply and destroy run', async () => {
  const any = suite.bareWorkspace();
  expect((await install(any.folder)).todo).toEqual([]);
  any.write(REMOTE);
  expect(await any.succeed('init', '-no-color')).toMatch(/Installed entrepot\/entrepot v\d/);
  expect(await any.apply()).toContain('1 added');
  expect(await any.pending()).toBe('');
  expect(await any.destroy()).toContain('1 destroyed');
});

test('the installation works in a folder whose package.json says module', async () => {
  const any = suite.bareWorkspace();
  await install(any.folder);
  writeFileSync(join(any.folder, 'package.json'), '{"type":"module"}');
  any.write(REMOTE);
  await any.succeed('init', '-no-color');
  await any.succeed('validate', '-no-color');
});

test('after a replacement an initialised folder works again as the report says', async () => {
  const any = suite.bareWorkspace();
  const { folder } = await install(any.folder);
  any.write(REMOTE);
  await any.succeed('init', '-no-color');
  appendFileSync(join(suite.provider(), nameIn(suite.provider())), '\n// newer\n');
  const { report, outcome } = await install(any.folder);
  expect(outcome).toBe('replaced');
  expect(await any.fail('validate')).toContain('does not match any of the checksums');
  const commands = [...report.matchAll(/^ {4}terraform (.+)$/gm)]
    .map(([, command]) => String(command))
    .filter((command) => command !== '{');
  expect(commands).toHaveLength(2);
  for (const command of commands) await any.succeed(...command.split(' '));
  await any.succeed('validate', '-no-color');
  expect(readdirSync(folder).sort()).toEqual(['provider.cjs', nameIn(suite.provider())]);
});

test('a CLI configuration with rules of its own works once what the report prints is added', async () => {
  const any = suite.bareWorkspace();
  const file = join(any.folder, 'own.tfrc');
  const rules = (more: string): void =>
    writeFileSync(
      file,
      `provider_installation {\n  filesystem_mirror {\n    path = "/srv/none"\n    include = ["hashicorp/*"]\n  }\n${more}}\n`,
    );
  rules('');
  const { todo } = await install(any.folder, { TF_CLI_CONFIG_FILE: file });
  const added = todo[0]?.split('\n\n')[1] ?? '';
  const configured = suite.bareWorkspace({ TF_CLI_CONFIG_FILE: file, HOME: any.folder });
  configured.write(REMOTE);
  await configured.fail('init');
  rules(`${added}\n`);
  await configured.succeed('init', '-no-color');
  await configured.succeed('validate', '-no-color');
});

test('when no Node is left Terraform shows what to do', async () => {
  const any = suite.bareWorkspace();
  const { folder } = await install(any.folder);
  any.write(REMOTE);
  await any.succeed('init', '-no-color');
  const without = workspaceWithout(any.folder);
  without.write(REMOTE);
  await without.succeed('init', '-no-color', `-plugin-dir=${join(folder, '../../../../..')}`);
  expect(unwrapped(await without.fail('validate'))).toContain(
    'The Entrepot provider needs Node.js 20 or newer and found none',
  );
});

/** Another user of the same packages, whose PATH has no node and whose home has no installation. */
function workspaceWithout(tools: string): Workspace {
  const bin = join(tools, 'bin');
  mkdirSync(bin);
  for (const tool of ['terraform', 'sh']) {
    symlinkSync(execFileSync('/bin/sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim(), join(bin, tool));
  }
  return suite.bareWorkspace({ PATH: bin });
}

function nameIn(folder: string): string {
  return readdirSync(folder).find((name) => name.startsWith('terraform-provider-entrepot_v')) ?? '';
}
