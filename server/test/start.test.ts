import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EXAMPLE_CERTIFICATE, EXAMPLE_KEY } from '../src/contract/example-pem.ts';

const MAIN = fileURLToPath(new URL('../dist/app/main.js', import.meta.url));

let folder: string;
const running: ChildProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrepot-start-'));
});
afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await rm(folder, { recursive: true, force: true });
});

function launch(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): ChildProcess {
  const child = spawn(process.execPath, [MAIN, '--listen', '127.0.0.1:0', '--data', join(folder, 'data'), ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.push(child);
  return child;
}

/** The first line from now on that has the words. */
function line(child: ChildProcess, words: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const found = said.split('\n').find((each) => each.includes(words));
      if (found !== undefined) resolve(found);
    });
    child.once('exit', () => reject(new Error(`it ended and did not say ${JSON.stringify(words)}: ${said}`)));
  });
}

function ready(child: ChildProcess): Promise<string> {
  return line(child, 'is ready at');
}

/** What it says when it cannot start. */
async function failure(child: ChildProcess): Promise<{ readonly code: number | null; readonly said: string }> {
  const [said] = await Promise.all([text(child.stderr as NodeJS.ReadableStream), once(child, 'exit')]);
  return { code: child.exitCode, said };
}

test('it says in one line where it is, where its data is and where the token is, never the token', async () => {
  const child = launch();
  const said = JSON.parse(await ready(child));
  const token = (await readFile(join(folder, 'data', 'admin-token'), 'utf8')).trim();
  expect(said.msg).toBe(
    `Entrepot 0.1.0 is ready at ${said.url}, its data in ${folder}/data, the admin token in ${folder}/data/admin-token`,
  );
  expect(JSON.stringify(said)).not.toContain(token);
  expect((await fetch(`${said.url}/ready`)).status).toBe(200);
  const answer = await fetch(`${said.url}/api/v2/config`, { headers: { authorization: `Bearer ${token}` } });
  const { resources } = (await answer.json()) as { resources: { name: string }[] };
  const names = resources.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['npm-public', 'npm', 'pypi-public', 'pypi']));
  child.kill('SIGTERM');
  await once(child, 'exit');
  expect(child.exitCode).toBe(0);
});

test('for a person it says it as text, also where little is logged', async () => {
  expect(await ready(launch(['--log-format', 'text', '--log-level', 'error']))).toMatch(
    /^\[\d\d:\d\d:\d\d\] INFO: Entrepot 0\.1\.0 is ready at http:\/\/127\.0\.0\.1:\d+, its data in /,
  );
});

test('a killed server is followed at once by the next, which has what it declared', async () => {
  const first = launch();
  await ready(first);
  first.kill('SIGKILL');
  await once(first, 'exit');
  await ready(launch());
});

test.each<
  [
    string,
    (at: string) => { args?: readonly string[]; env?: Readonly<Record<string, string>>; prepare?: () => Promise<void> },
    string | RegExp,
  ]
>([
  ['an unknown flag', () => ({ args: ['--lisen=x'] }), 'flag --lisen is not known: did you mean listen?'],
  [
    'an unknown variable',
    () => ({ env: { ENTREPOT_LISTN: 'x' } }),
    'environment ENTREPOT_LISTN is not known: did you mean ENTREPOT_LISTEN?',
  ],
  [
    'an unknown key',
    (at) => ({ prepare: () => writeFile(join(at, 'entrepot.yaml'), 'log:\n  lvel: info\n') }),
    /entrepot\.yaml:2: log\.lvel is not known/,
  ],
  ['an address that others reach', () => ({ args: ['--listen', '0.0.0.0:0'] }), 'set base_url (ENTREPOT_BASE_URL)'],
  ['a data folder that is a file', (at) => ({ prepare: () => writeFile(join(at, 'data'), '') }), /cannot use .*data/],
  [
    'a database that is damaged',
    (at) => ({
      args: ['--database-url', `sqlite:${at}/x.sqlite`],
      prepare: () => writeFile(join(at, 'x.sqlite'), 'x'.repeat(10_000)),
    }),
    /x\.sqlite is damaged: stop Entrepot, move it away/,
  ],
  [
    'a certificate that is none',
    (at) => ({
      args: ['--tls-cert', `${at}/c`, '--tls-key', `${at}/k`],
      prepare: async () => void (await Promise.all([writeFile(join(at, 'c'), 'x'), writeFile(join(at, 'k'), 'x')])),
    }),
    'are not a certificate and its private key, PEM',
  ],
  [
    'an address this machine does not have',
    () => ({ args: ['--listen', '192.0.2.1:1', '--base-url', 'https://packages.test'] }),
    'cannot listen on 192.0.2.1:1: this machine has no such address',
  ],
])('with %s it ends with one readable line', async (_, setup, expected) => {
  const { args, env, prepare } = setup(folder);
  await prepare?.();
  const { code, said } = await failure(launch(args, env));
  expect(said.trimEnd().split('\n')).toHaveLength(1);
  expect(said).toMatch(/^entrepot: /);
  expect(said).toMatch(expected);
  expect(code).toBe(1);
});

test('a port that is taken is named', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const { code, said } = await failure(launch(['--listen', `127.0.0.1:${port}`]));
  other.close();
  expect(said).toBe(
    `entrepot: cannot listen on 127.0.0.1:${port}: something else does already; stop it, or set ENTREPOT_LISTEN to another port\n`,
  );
  expect(code).toBe(1);
});

test('a second server on the same data folder is refused, and leaves the first alone', async () => {
  const first = launch();
  const { url } = JSON.parse(await ready(first));
  const { code, said } = await failure(launch());
  expect(said).toBe(
    `entrepot: ${folder}/data is in use by the Entrepot with process id ${first.pid} on ${hostname()}: stop it first, or give this one another data folder (ENTREPOT_DATA)\n`,
  );
  expect(code).toBe(1);
  expect((await fetch(`${url}/ready`)).status).toBe(200);
});

test('an orderly end lets a transfer finish', async () => {
  const body = 'x'.repeat(1_000_000);
  let finish = (): void => {};
  const upstream = createServer((_, response) => {
    response.writeHead(200, { 'content-length': body.length });
    response.write(body.slice(1));
    finish = () => void response.end('x');
  }).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const child = launch();
  const { url } = JSON.parse(await ready(child));
  const token = (await readFile(join(folder, 'data', 'admin-token'), 'utf8')).trim();
  const spec = {
    name: 'files',
    format: 'generic',
    url: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
    allow_private_network: true,
  };
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  expect(
    (await fetch(`${url}/api/v2/remotes/files`, { method: 'PUT', headers, body: JSON.stringify(spec) })).status,
  ).toBe(201);
  const transfer = await fetch(`${url}/files/a-1.0.tar.gz`);
  const ending = line(child, 'letting transfers end');
  child.kill('SIGTERM');
  await ending;
  await expect(fetch(`${url}/ready`)).rejects.toThrow();
  finish();
  expect(await transfer.text()).toBe(body);
  await once(child, 'exit');
  expect(child.exitCode).toBe(0);
  upstream.close();
});

test('with a certificate it speaks HTTPS', async () => {
  await writeFile(join(folder, 'cert.pem'), EXAMPLE_CERTIFICATE);
  await writeFile(join(folder, 'key.pem'), EXAMPLE_KEY);
  const { url } = JSON.parse(await ready(launch(['--tls-cert', 'cert.pem', '--tls-key', 'key.pem'])));
  expect(url).toMatch(/^https:/);
  const status = await new Promise((resolve, reject) => {
    get(`${url}/ready`, { rejectUnauthorized: false }, (response) => resolve(response.resume().statusCode)).on(
      'error',
      reject,
    );
  });
  expect(status).toBe(200);
});
