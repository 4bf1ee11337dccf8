import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { requireTool } from '../../support/require-tool.ts';
import { ServerProcess } from '../../support/server-process.ts';
import { answersOf, type Fence, fencesOf, shows } from './page.ts';
import { Shell } from './shell.ts';

const PAGE = fileURLToPath(new URL('../../../../docs/policy.md', import.meta.url));
const PROGRAM = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
const ADDRESS = '127.0.0.1:8080';

let server: ServerProcess;
let home: string;
let shell: Shell;
let fences: readonly Fence[];

beforeAll(async () => {
  server = await ServerProcess.start();
  home = await mkdtemp(join(tmpdir(), 'entrepot-page-'));
  fences = fencesOf(await readFile(PAGE, 'utf8'), Date.now());
  await writeFile(join(home, 'entrepot'), `#!/bin/sh\nexec "${process.execPath}" "${PROGRAM}" "$@"\n`);
  await chmod(join(home, 'entrepot'), 0o755);
  shell = new Shell(home, home, {
    PATH: [home, dirname(process.execPath), process.env['PATH']].join(delimiter),
    HOME: home,
    ENTREPOT_URL: server.url,
    ENTREPOT_TOKEN: server.token,
  });
});
afterAll(async () => {
  await shell?.close();
  await server?.stop();
  await rm(home, { recursive: true, force: true });
});

test('every command of the page on policy works as printed, and prints what is shown', async (context) => {
  requireTool(context, 'curl', 'install curl');
  const commands = answersOf(fences);
  expect(commands.length).toBeGreaterThan(10);
  const host = new URL(server.url).host;
  for (const { text, answer } of commands) {
    const printed = await shell.run(text.replaceAll(ADDRESS, host));
    if (answer !== undefined) expect(shows(printed, answer.replaceAll(ADDRESS, host)), printed).toBe('');
  }
});

test('every rule that the page puts can be read back as it was put', async (context) => {
  requireTool(context, 'curl', 'install curl');
  const rules = fences.flatMap(({ text }) => [...text.matchAll(/^put ([a-z-]+)\/([a-z-]+) '(\{[^']*\})'$/gm)]);
  expect(new Set(rules.map(([, collection]) => collection))).toEqual(
    new Set(['cooldowns', 'blocks', 'freezes', 'exemptions', 'remotes']),
  );
  for (const [, collection = '', name = '', text = ''] of rules) {
    const spec = JSON.parse(text) as { readonly default?: string };
    if (spec.default === '3') continue;
    await server.manage('PUT', `/${collection}/${name}`, spec);
    expect(await server.manage('GET', `/${collection}/${name}`)).toMatchObject({ name, spec });
  }
});

test('every block of the page is a command, what it prints, or Terraform', () => {
  expect(new Set(fences.map(({ language }) => language))).toEqual(new Set(['sh', 'json', 'text', 'hcl']));
  for (const [at, { language, text }] of fences.entries())
    if (language === 'json' || language === 'text') expect(fences[at - 1]?.language, text).toBe('sh');
});
