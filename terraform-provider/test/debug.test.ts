import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { terraformSuite } from './support/suite.ts';

const suite = terraformSuite();

test('a provider that runs under a debugger serves a Terraform that is told of it', async () => {
  const program = readdirSync(suite.provider()).find((name) => name.startsWith('terraform-provider-')) ?? '';
  const { url, token } = suite.server();
  const child = spawn(process.execPath, [join(suite.provider(), program), '--debug'], {
    env: { PATH: process.env.PATH, ENTREPOT_URL: url, ENTREPOT_TOKEN: token },
  });
  onTestFinished(() => void child.kill());
  const line = await new Promise<string>((resolve) => child.stdout.once('data', (chunk) => resolve(String(chunk))));
  const [, reattach = ''] = /^TF_REATTACH_PROVIDERS='(.*)'\n$/.exec(line) ?? [];
  const workspace = suite.bareWorkspace({ TF_REATTACH_PROVIDERS: reattach });
  workspace.write('resource "entrepot_remote" "one" {\n  name   = "debugged"\n  format = "npm"\n}');
  await workspace.succeed('init', '-no-color');
  expect(await workspace.apply()).toContain('1 added');
  expect(await workspace.pending()).toBe('');
});
