import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { requireTool } from '../../support/require-tool.ts';
import { Checkout } from './checkout.ts';
import { Shell } from './shell.ts';
import { stepsOf } from './walk.ts';

const ADDRESS = '127.0.0.1:8080';
const FOLDER = 'try';

let home: string;
let checkout: Checkout | undefined;
let shell: Shell | undefined;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'entrepot-home-'));
});
afterAll(async () => {
  await shell?.close();
  await checkout?.remove();
  await rm(home, { recursive: true, force: true });
});

test('every line of the README works as printed', async (context) => {
  requireTool(context, 'terraform', 'install Terraform 1.11 or newer from its download page');
  requireTool(context, 'python3', 'install Python 3 with pip and venv');
  requireTool(context, 'curl', 'install curl');
  checkout = await Checkout.copy();
  const steps = stepsOf(await checkout.read('README.md'));
  expect(steps.length).toBeGreaterThan(5);
  const port = await checkout.start(environment());
  const here = (text: string) => text.replaceAll(ADDRESS, `127.0.0.1:${port}`);
  const elsewhere = here(ADDRESS) === ADDRESS ? {} : { ENTREPOT_URL: `http://${here(ADDRESS)}` };
  shell = new Shell(checkout.folder, home, { ...environment(), ...elsewhere });

  for (const step of steps) {
    if (step.kind === 'write') {
      await writeFile(join(checkout.folder, FOLDER, step.file), here(step.text));
      continue;
    }
    const printed = await shell.run(here(step.commands));
    if (step.answer !== undefined)
      expect(anyDecision(printed.trimEnd().split('\n').at(-1))).toBe(anyDecision(here(step.answer)));
  }

  const token = (await checkout.read('data/admin-token')).trim();
  const manage = async (path: string): Promise<{ items: { purl?: string; decision?: string }[] }> => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v2${path}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(answer.status).toBe(200);
    return (await answer.json()) as { items: { purl?: string; decision?: string }[] };
  };
  const { version } = JSON.parse(
    await readFile(join(checkout.folder, FOLDER, 'node_modules/express/package.json'), 'utf8'),
  );
  const { items: pulls } = await manage('/pulls?purl=pkg:npm/express');
  expect(pulls.map(({ purl, decision }) => [purl, decision])).toEqual([[`pkg:npm/express@${version}`, 'allowed']]);
  expect((await manage('/pulls?purl=pkg:pypi/requests')).items).not.toEqual([]);
  expect((await manage('/remotes/npm-public/objects?purl=pkg:npm/express')).items).toEqual([]);
  expect((await manage('/remotes')).items).not.toContainEqual(expect.objectContaining({ name: 'team-npm-upstream' }));
});

/** Each decision has an id of its own. */
const anyDecision = (text = ''): string => text.replace(/Decision [0-9a-f-]+\./, 'Decision.');

/** A user's, without what is set up for whoever runs the tests. */
function environment(): Record<string, string> {
  const own = /^(ENTREPOT_|NPM_|PIP_|UV_|TF_|npm_|NODE$|NODE_ENV$|VITEST)/;
  const kept = Object.entries(process.env).filter(([name]) => !own.test(name)) as [string, string][];
  return {
    ...Object.fromEntries(kept),
    PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
    HOME: home,
    PIP_CONFIG_FILE: '/dev/null',
    CHECKPOINT_DISABLE: '1',
  };
}
