import { execFileSync, spawnSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { installProvider } from './terraform-install.ts';

const PLATFORM = 'linux_amd64';
const NAME = 'terraform-provider-entrepot_v0.9.1';

let home: string;
let provider: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'entrepot-home-'));
  provider = join(home, 'built');
  mkdirSync(provider);
  writeFileSync(join(provider, NAME), '#!/usr/bin/env node\nconsole.log("provider", process.argv.length)\n');
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const install = (env: Readonly<Record<string, string>> = {}) =>
  installProvider({
    home,
    env,
    node: process.execPath,
    provider,
    terraform: async () => ({ version: '1.11.4', platform: PLATFORM }),
  });

const implied = (): string =>
  join(home, '.terraform.d/plugins/registry.terraform.io/entrepot/entrepot/0.9.1', PLATFORM);

test('it goes where Terraform looks by itself, and the report shows how to use it', async () => {
  const { folder, outcome, todo, report } = await install();
  expect(folder).toBe(implied());
  expect(outcome).toBe('installed');
  expect(todo).toEqual([]);
  expect(report).toContain('source  = "entrepot/entrepot"');
  expect(report).toContain('version = "~> 0.9"');
  expect(statSync(join(folder, NAME)).mode & 0o111).toBe(0o111);
});

test('the file that Terraform starts runs the provider, whatever node is on PATH', async () => {
  const { folder } = await install();
  const started = execFileSync(join(folder, NAME), { env: { HOME: home, PATH: '/usr/bin:/bin' }, encoding: 'utf8' });
  expect(started).toBe('provider 2\n');
});

test('without any Node its first line on stdout says what to do', async () => {
  const { folder } = await install();
  rmSync(join(home, '.terraform.d/entrepot/node'));
  const tools = join(home, 'tools');
  mkdirSync(tools);
  const started = spawnSync(join(folder, NAME), { env: { HOME: home, PATH: tools }, encoding: 'utf8' });
  expect(started.status).toBe(1);
  expect(started.stdout).toMatch(
    /^The Entrepot provider needs Node\.js 20 or newer and found none: .* ENTREPOT_NODE .*\n$/,
  );
});

test('a node on PATH that is too old is passed over, one that is new enough is used', async () => {
  const { folder } = await install();
  rmSync(join(home, '.terraform.d/entrepot/node'));
  const tools = join(home, 'tools');
  mkdirSync(tools);
  const start = () => spawnSync(join(folder, NAME), { env: { HOME: home, PATH: tools }, encoding: 'utf8' }).stdout;
  writeFileSync(join(tools, 'node'), '#!/bin/sh\necho false\n', { mode: 0o755 });
  expect(start()).toContain('needs Node.js 20');
  rmSync(join(tools, 'node'));
  symlinkSync(process.execPath, join(tools, 'node'));
  expect(start()).toBe('provider 2\n');
});

test('twice is once', async () => {
  await install();
  const second = await install();
  expect(second.outcome).toBe('unchanged');
  expect(second.report).toContain('is in');
  expect(second.report).not.toContain('providers lock');
});

test('changed files of the same version replace the earlier ones, and the report says what initialised folders need', async () => {
  const { folder } = await install();
  writeFileSync(join(provider, NAME), 'changed');
  const again = await install();
  expect(again.outcome).toBe('replaced');
  expect(readFileSync(join(folder, 'provider.cjs'), 'utf8')).toBe('changed');
  expect(again.report).toContain(
    `terraform providers lock -fs-mirror=${join(home, '.terraform.d/plugins')} registry.terraform.io/entrepot/entrepot`,
  );
});

test('another Node is used from the next start on, with no change of the package', async () => {
  await install();
  const { outcome } = await installProvider({
    home,
    env: {},
    node: '/opt/node',
    provider,
    terraform: async () => ({ version: '1.11.4', platform: PLATFORM }),
  });
  expect(outcome).toBe('unchanged');
  expect(lstatSync(join(home, '.terraform.d/entrepot/node')).isSymbolicLink()).toBe(true);
  expect(readlinkSync(join(home, '.terraform.d/entrepot/node'))).toBe('/opt/node');
});

test('a mirror that the CLI configuration names is used instead', async () => {
  const mirror = join(home, 'mirror');
  writeFileSync(
    join(home, '.terraformrc'),
    `# where providers come from
provider_installation {
  filesystem_mirror {
    path    = "${mirror}"
    include = ["example.com/*/*", "*/*"]
  }
  direct { exclude = ["registry.terraform.io/entrepot/*"] }
}`,
  );
  const { folder, todo } = await install();
  expect(folder).toBe(join(mirror, 'registry.terraform.io/entrepot/entrepot/0.9.1', PLATFORM));
  expect(todo).toEqual([]);
});

test('a CLI configuration with no place for it: the block to add is printed', async () => {
  const file = join(home, 'own.tfrc');
  writeFileSync(
    file,
    'provider_installation {\n  filesystem_mirror {\n    path = "/srv/mirror"\n    include = ["hashicorp/*"]\n  }\n  direct {}\n}\n',
  );
  const { todo, folder } = await install({ TF_CLI_CONFIG_FILE: file });
  expect(folder).toBe(implied());
  expect(todo).toHaveLength(2);
  expect(todo[0]).toContain(`${file} lets Terraform also ask its direct for this provider`);
  expect(todo[1]).toContain(`path    = "${join(home, '.terraform.d/plugins')}"`);
  expect(todo[1]).toContain('include = ["registry.terraform.io/entrepot/entrepot"]');
});

test('a CLI configuration in JSON, and one beside the plugins, are read too', async () => {
  mkdirSync(join(home, '.terraform.d'));
  const mirror = join(home, 'json-mirror');
  writeFileSync(
    join(home, '.terraform.d', 'a.tfrc.json'),
    JSON.stringify({ provider_installation: { filesystem_mirror: { path: mirror } } }),
  );
  expect((await install()).folder.startsWith(mirror)).toBe(true);
});

test('what hides the folder from Terraform is named', async () => {
  const file = join(home, 'dev.tfrc');
  writeFileSync(file, 'provider_installation {\n  dev_overrides {\n    "entrepot/entrepot" = "/src/dist"\n  }\n}\n');
  const { todo } = await install({ TF_CLI_CONFIG_FILE: file, TF_CLI_ARGS_init: '-plugin-dir=/srv/plugins' });
  expect(todo.join('\n')).toContain('TF_CLI_ARGS_init sets -plugin-dir');
  expect(todo.join('\n')).toContain('dev_overrides for entrepot/entrepot: Terraform uses /src/dist');
});

test('no Terraform, or one that is too old, is said', async () => {
  const without = await installProvider({
    home,
    env: {},
    node: process.execPath,
    provider,
    terraform: async () => undefined,
  });
  expect(without.todo.join()).toContain('There is no Terraform on PATH');
  const old = await installProvider({
    home,
    env: {},
    node: process.execPath,
    provider,
    terraform: async () => ({ version: '0.13.7', platform: PLATFORM }),
  });
  expect(old.todo.join()).toContain('0.13.7 is too old');
});

test('a provider that is not built, and a home that is no folder, each end with a sentence', async () => {
  await expect(
    installProvider({ home, env: {}, node: process.execPath, provider: join(home, 'none') }),
  ).rejects.toThrow('Run npm run build first');
  writeFileSync(join(home, '.terraform.d'), 'a file');
  await expect(install()).rejects.toThrow(/^Cannot write .*\. Make the folder writable/);
});
