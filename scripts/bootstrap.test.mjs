import { spawnSync } from 'node:child_process';
import { hostname } from 'node:os';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeCheckout } from './test/fake-checkout.mjs';

const OLD_NODE = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.1.0' } });`;
const OTHER_PLATFORM = `${OLD_NODE} Object.defineProperty(process, 'platform', { value: 'darwin' });`;
const NO_EXECVE = 'delete process.execve;';

let checkout;
beforeEach(() => {
  checkout = new FakeCheckout();
});
afterEach(() => checkout.remove());

async function run(args, options) {
  const running = checkout.start(args, options);
  const { code } = await running.ended;
  return { code, server: running.server, err: running.err };
}

test('a fresh checkout is installed, built and started; the next start does neither', async () => {
  const first = await run(['start', '--listen', '127.0.0.1:0']);
  expect(first).toMatchObject({ code: 0, server: { args: ['--listen', '127.0.0.1:0'], bundled: false } });
  expect(first.err).toMatch(/Installing 1 packages .*: done in \d+\.\d s\nBuilding the server.*: done in/s);
  expect(checkout.calls()).toEqual(['npm install', 'tsc']);
  const second = await run(['start']);
  expect(second).toMatchObject({ code: 0, server: { args: [] }, err: '' });
  expect(checkout.calls()).toEqual([]);
});

test('a changed lock file is installed, a changed source only built', async () => {
  await run(['build']);
  checkout.lock('1.0.1');
  await run(['build']);
  expect(checkout.calls()).toEqual(['npm install', 'tsc', 'npm install', 'tsc']);
  checkout.write('server/src/more.js', '');
  await run(['build']);
  expect(checkout.calls()).toEqual(['tsc']);
});

test('packages that were installed by hand are not installed again', async () => {
  await run(['build']);
  checkout.lock('1.0.1');
  checkout.write('node_modules/.package-lock.json', '{"packages":{"node_modules/a":{"version":"1.0.1"}}}');
  checkout.calls();
  await run(['build']);
  expect(checkout.calls()).not.toContain('npm install');
});

test('what a removed source was built into goes with it', async () => {
  checkout.write('server/src/gone.js', '');
  await run(['build']);
  expect(checkout.has('server/dist/gone.js')).toBe(true);
  spawnSync('rm', [`${checkout.root}/server/src/gone.js`]);
  await run(['build']);
  expect(checkout.has('server/dist/gone.js')).toBe(false);
  expect(checkout.has('server/dist/app/main.js')).toBe(true);
});

test('when npm fails, the end of its log is shown and nothing starts', async () => {
  checkout.write('npm-says', 'npm warn EBADENGINE Unsupported engine\nnpm error code EINTEGRITY\nnpm error bad sum\n');
  const { code, server, err } = await run(['start']);
  expect({ code, server }).toEqual({ code: 1, server: undefined });
  expect(err).toContain('npm ended with code 1');
  expect(err).toContain('npm error bad sum');
  expect(err).not.toContain('EBADENGINE');
});

test('without a network the first line says so', async () => {
  checkout.write('npm-says', 'npm error code ENOTFOUND\nnpm error network request to https://upstream.test/a failed\n');
  const { err } = await run(['start']);
  expect(err).toContain('The package registry could not be reached (ENOTFOUND): check the network');
});

test('a manifest the lock file was not made for is named', async () => {
  checkout.lock('1.0.0', { a: '2' });
  const { code, err } = await run(['start']);
  expect(code).toBe(1);
  expect(err).toContain('package.json asks for other packages than package-lock.json: run "npm install"');
  expect(checkout.calls()).toEqual([]);
});

test('a mistake in the source is shown, and shown again', async () => {
  checkout.write('server/src/app/main.js', 'MISTAKE');
  for (const _ of [1, 2]) {
    const { code, server, err } = await run(['start']);
    expect({ code, server }).toEqual({ code: 1, server: undefined });
    expect(err).toContain('main.ts(1,1): error TS1: a mistake');
  }
});

test('starts at one time install and build once', async () => {
  const all = await Promise.all([1, 2, 3, 4].map((n) => run(['start', `${n}`])));
  expect(all.map(({ server }) => server?.args)).toEqual([['1'], ['2'], ['3'], ['4']]);
  expect(checkout.calls()).toEqual(['npm install', 'tsc']);
});

test('the lock of a process that was killed is taken over', async () => {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  checkout.write('.bootstrap/lock', `${pid} ${hostname()}`);
  expect(await run(['start'])).toMatchObject({ code: 0, server: { args: [] } });
});

test('an old Node goes on under the one the project brings', async () => {
  expect(await run(['start', '-x'], { pretend: OLD_NODE })).toMatchObject({ server: { args: ['-x'], bundled: true } });
});

test('an old Node on a platform the project brings none for is told what to install, before anything is', async () => {
  const { code, err } = await run(['start'], { pretend: OTHER_PLATFORM });
  expect(code).toBe(1);
  expect(err).toMatch(/^Entrepot needs Node 24 or newer; this is Node 20\.1\.0 on darwin-\w+\. Install Node 24 .*\n$/);
  expect(checkout.calls()).toEqual([]);
});

test.each([
  ['where Node can replace itself', ''],
  ['where it cannot', NO_EXECVE],
])('a signal reaches the server and its exit code comes back, %s', async (_, pretend) => {
  const running = checkout.start(['start', '--stay'], { pretend });
  await running.said('--stay');
  running.child.kill('SIGTERM');
  expect(await running.ended).toEqual({ code: 7, signal: null });
});

test('a signal that kills the server kills the one who started it', async () => {
  const running = checkout.start(['start', '--stay'], { pretend: NO_EXECVE });
  await running.said('--stay');
  running.child.kill('SIGHUP');
  expect(await running.ended).toEqual({ code: null, signal: 'SIGHUP' });
});

test('an unknown command names the known ones', async () => {
  const { code, err } = await run(['strat']);
  expect(code).toBe(1);
  expect(err).toMatch(/^There is no command "strat"\. One of: start, .*test.*\n$/);
});
