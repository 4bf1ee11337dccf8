import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { FreshMachine, type Outcome, type Skippable } from '../support/clients.ts';
import { type Judged, preflight, terminal } from '../support/preflight.ts';
import { ServerProcess } from '../support/server-process.ts';
import { installed } from './installed.ts';
import { npmLock } from './lock-files.ts';

const MANIFEST = JSON.stringify({
  name: 'walk',
  version: '1.0.0',
  private: true,
  dependencies: { eslint: '8.57.1', express: '4.21.2' },
});
const TEN_YEARS = 3650 * 86_400_000;
/** The pin that an exemption lifts. */
const LIFTED = { name: 'express', version: '4.21.2', purl: 'pkg:npm/express@4.21.2' };

let server: ServerProcess;
let lock = '';
/** Milliseconds at which each release of the lock file was published, by package URL, as the registry says. */
const published = new Map<string, number>();
const machines: FreshMachine[] = [];

beforeAll(async () => {
  server = await ServerProcess.start();
});
afterEach(async () => {
  for (const machine of machines.splice(0)) await machine.remove();
});
afterAll(() => server?.stop());

async function fresh(files: Readonly<Record<string, string>> = {}): Promise<FreshMachine> {
  const machine = await FreshMachine.create();
  machines.push(machine);
  await machine.write({ 'package.json': MANIFEST, '.npmrc': `registry=${server.url}/npm/\n`, ...files });
  return machine;
}

function npm(context: Skippable, machine: FreshMachine, ...args: readonly string[]): Promise<Outcome> {
  const env = { NPM_CONFIG_USERCONFIG: `${machine.home}/.npmrc`, NPM_CONFIG_CACHE: `${machine.home}/.npm` };
  return machine.run([process.execPath, installed(context, 'npm@11'), ...args, '--ignore-scripts'], env);
}

const cooldown = (age: string) => server.manage('PUT', '/cooldowns/default', { name: 'default', default: age });
const tarball = () => fetch(`${server.url}/npm/${LIFTED.name}/-/${LIFTED.name}-${LIFTED.version}.tgz`);
const said = ({ text }: Outcome) => text.replaceAll('\\"', '"');

test('a lock file of more than a hundred packages is made through the default repository', async (context) => {
  const machine = await fresh();
  expect(await npm(context, machine, 'install')).toMatchObject({ code: 0 });
  lock = await readFile(join(machine.project, 'package-lock.json'), 'utf8');
  const pins = npmLock(lock);
  expect(pins.length).toBeGreaterThan(100);
  for (const { name, version } of pins) {
    const answer = await fetch(`${server.url}/npm/${name.replace('/', '%2f')}`);
    const { time } = (await answer.json()) as { time: Record<string, string> };
    published.set(`pkg:npm/${name.replace('@', '%40')}@${version}`, Date.parse(time[version] ?? ''));
  }
});

test('a cooldown of ten years refuses most of it, and preflight lists each pin with its date', async () => {
  await cooldown('3650d');
  const { code, items } = await preflight(server, await fresh({ 'package-lock.json': lock }), 'package-lock.json');
  expect(code).toBe(1);
  expect(new Set(items.map(({ purl }) => purl))).toEqual(new Set(published.keys()));
  const refused = items.filter(({ allowed }) => !allowed);
  expect(refused.length).toBeGreaterThan(items.length / 2);
  const now = Date.now();
  for (const { purl, allowed, rule, until, reason } of items) {
    const from = (published.get(purl) ?? Number.NaN) + TEN_YEARS;
    expect(allowed, purl).toBe(from <= now);
    if (allowed) continue;
    expect({ purl, rule, until }).toEqual({ purl, rule: 'cooldown/default', until: new Date(from).toISOString() });
    expect(reason).toContain('the cooldown "default" admits it from ');
  }
});

test('the report for people ends in how many are refused', async () => {
  const machine = await fresh({ 'package-lock.json': lock });
  const { code, text } = await terminal(server, machine, 'preflight', 'package-lock.json');
  expect(code).toBe(1);
  expect(text).toMatch(/^WHAT +LINE +VERDICT +WHY +ADMISSIBLE FROM +INSTEAD$/m);
  expect(text).toMatch(/^pkg:npm\/express@4\.21\.2 +\d+ +refused +.*the cooldown "default" admits it from /m);
  expect(text).toMatch(/^package-lock\.json: \d+ pins, \d+ allowed, \d+ refused$/m);
});

test('npm ci prints why, and no file of a refused release is served', async (context) => {
  const before = new Set((await server.pulls()).map(({ id }) => id));
  const { code, text } = await npm(context, await fresh({ 'package-lock.json': lock }), 'ci').then((outcome) => ({
    ...outcome,
    text: said(outcome),
  }));
  expect(code).not.toBe(0);
  expect(text).toMatch(/npm error 403 .* was published \d+ days ago; the cooldown "default" admits it from \d{4}-/);
  const rows = (await server.pulls()).filter(({ id }) => !before.has(id));
  const old = (purl = '') => (published.get(purl) ?? Number.NaN) + TEN_YEARS <= Date.now();
  const served = rows.filter(({ role, decision }) => role === 'package' && decision === 'allowed');
  expect(served.filter(({ purl }) => !old(purl))).toEqual([]);
});

test('an exemption lifts one pin until it ends, and its end brings the refusal back', async () => {
  expect((await tarball()).status).toBe(403);
  const machine = await fresh({ 'package-lock.json': lock });
  const ends = new Date(Date.now() + 15_000).toISOString();
  const exemption = { name: 'hotfix', packages: [LIFTED.purl], reason: 'The release of Friday.', expires_at: ends };
  await server.manage('POST', '/exemptions', exemption);
  // Often enough that it would be answered from memory.
  for (let time = 0; time < 5; time++) {
    const answer = await tarball();
    expect(answer.status).toBe(200);
    await answer.arrayBuffer();
  }
  const explained = await terminal(server, machine, 'explain', LIFTED.purl);
  expect(explained).toMatchObject({ code: 0 });
  expect(explained.text).toContain(`${LIFTED.purl} is admitted in npm\n`);
  expect(explained.text).toContain('the exemption "hotfix" lifts the cooldown "default" until ');
  expect(explained.text).toContain('  rule: exemption/hotfix\n');
  expect(explained.text).toContain(`  until: ${ends}\n`);
  const { items } = await preflight(server, machine, 'package-lock.json');
  expect(verdict(items)).toMatchObject({ allowed: true, rule: 'exemption/hotfix', until: ends });

  await expect.poll(async () => (await tarball()).status, { timeout: 60_000, interval: 200 }).toBe(403);
  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(ends));
  expect((await terminal(server, machine, 'explain', LIFTED.purl)).text).toContain('  rule: cooldown/default\n');
  const after = await preflight(server, machine, 'package-lock.json');
  expect(verdict(after.items)).toMatchObject({ allowed: false, rule: 'cooldown/default' });
});

test('a week lets a new build through as if there was none', async (context) => {
  await cooldown('7d');
  const machine = await fresh();
  expect(await npm(context, machine, 'install')).toMatchObject({ code: 0 });
  expect(await preflight(server, machine, 'package-lock.json')).toMatchObject({ code: 0, refused: 0 });
});

const verdict = (items: readonly Judged[]) => items.find(({ purl }) => purl === LIFTED.purl);
