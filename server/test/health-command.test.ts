import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../src/cli/main.ts';
import { EXAMPLE_CERTIFICATE, EXAMPLE_KEY } from '../src/contract/example-pem.ts';
import { type Ledger, LedgerError } from '../src/ledger/ledger.ts';
import { freePort } from './support/free-port.ts';
import { TestServer } from './support/test-server.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrepot-health-'));
  await writeFile(join(folder, 'cert.pem'), EXAMPLE_CERTIFICATE);
  await writeFile(join(folder, 'key.pem'), EXAMPLE_KEY);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function health(args: readonly string[], env: Readonly<Record<string, string>>) {
  const said: string[] = [];
  const around = { env, cwd: folder, home: folder, out: (text: string) => void said.push(text) };
  const code = await run(['health', ...args], around, (text) => void said.push(text));
  return { code, said: said.join('') };
}

const listen = (server: TestServer) => ({ ENTREPOT_LISTEN: new URL(server.url).host });

test('a server that takes requests is well, and one that cannot reach its database is only alive', async () => {
  let away = false;
  const ledger = (real: Ledger): Ledger =>
    new Proxy(real, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) =>
          away && name === 'check' ? Promise.reject(new LedgerError('away')) : value.apply(target, args);
      },
    });
  const server = await TestServer.start({ ledger });
  try {
    expect(await health([], listen(server))).toEqual({ code: 0, said: `${server.url} takes requests\n` });
    away = true;
    await expect
      .poll(() => health([], listen(server)))
      .toEqual({ code: 1, said: `${server.url} takes no requests: database fails\n` });
    expect((await server.get('/health/live', { token: null })).body).toEqual({ live: true });
    expect(await health(['--live'], listen(server))).toEqual({ code: 0, said: `${server.url} answers\n` });
  } finally {
    await server.stop();
  }
});

test('a server is asked by HTTPS where it speaks that, whatever name its certificate has', async () => {
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const server = await TestServer.start({ settings: { 'tls.cert': files.cert, 'tls.key': files.key } });
  const env = { ...listen(server), ENTREPOT_TLS_CERT: files.cert, ENTREPOT_TLS_KEY: files.key };
  expect(await health([], env)).toEqual({ code: 0, said: `${server.url} takes requests\n` });
  expect((await health([], listen(server))).code).toBe(1);
  await server.stop();
});

test('where nobody listens nothing is well', async () => {
  const address = `127.0.0.1:${await freePort()}`;
  expect(await health(['--listen', address], {})).toEqual({
    code: 1,
    said: `there is no answer from http://${address} (ECONNREFUSED)\n`,
  });
});

test('settings that are wrong are said to be, as serve says it', async () => {
  expect(await health([], { ENTREPOT_LISTEN: 'nowhere' })).toMatchObject({
    code: 1,
    said: expect.stringContaining('environment ENTREPOT_LISTEN must be an address and a port'),
  });
});
