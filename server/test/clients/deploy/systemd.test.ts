import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { requireTool } from '../../support/require-tool.ts';
import { BUILT_SERVER } from '../../support/server-process.ts';

const UNIT = new URL('../../../../deploy/systemd/entrepot.service', import.meta.url);
/** Of 10; what `systemd-analyze` calls OK ends at 5. */
const MOST_EXPOSED = 2;

const run = promisify(execFile);
let analyze: string;
let folder: string;
let unit: string;

beforeEach(async (context) => {
  analyze = requireTool(context, 'systemd-analyze', 'apt-get install systemd');
  folder = await mkdtemp(join(tmpdir(), 'entrepot-unit-'));
  unit = join(folder, 'entrepot.service');
  const text = await readFile(UNIT, 'utf8');
  const here = text.replace(
    '/usr/bin/node /opt/entrepot/server/dist/cli/main.js',
    `${process.execPath} ${BUILT_SERVER}`,
  );
  expect(here).not.toBe(text);
  await writeFile(unit, here);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('systemd understands every line of the unit', async () => {
  const { stdout, stderr } = await run(analyze, ['verify', '--man=no', unit]);
  expect(stdout + stderr).toBe('');
});

test('the unit leaves the program little to do harm with', async () => {
  const { stdout } = await run(analyze, ['security', '--offline=true', '--no-pager', unit]);
  const [, exposure] = /Overall exposure level for \S+: ([0-9.]+)/.exec(stdout) ?? [];
  expect(Number(exposure)).toBeLessThanOrEqual(MOST_EXPOSED);
});
