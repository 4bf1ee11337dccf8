import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { npm } from '../clients/javascript-clients.ts';
import { FreshMachine, type Skippable } from '../support/clients.ts';
import { PublicUpstream } from '../support/public-upstream.ts';
import { type Radosgw, radosgwMissing, startRadosgw } from '../support/radosgw.ts';
import { requireTool } from '../support/require-tool.ts';
import { type Pull, ServerProcess } from '../support/server-process.ts';
import { type SlowProxy, startSlowProxy } from '../support/slow-proxy.ts';

const missing = radosgwMissing();
const DIRECT = { NO_PROXY: '127.0.0.1,localhost', no_proxy: '127.0.0.1,localhost' };

/** A client that installs one package on a new machine. */
type Install = (context: Skippable, machine: FreshMachine) => Promise<void>;

/** Where continuous integration runs, a missing server is a failure; elsewhere the suite says why it did not run. */
describe.skipIf(missing !== undefined && process.env['CI'] !== 'true')(`clients sent to S3 ${missing ?? ''}`, () => {
  let s3: Radosgw;
  let bytes: SlowProxy;
  let upstream: PublicUpstream;
  let server: ServerProcess;
  let token = '';
  const machines: FreshMachine[] = [];

  beforeAll(async () => {
    s3 = await startRadosgw();
    bytes = await startSlowProxy({ port: s3.port });
    upstream = await PublicUpstream.start();
  });
  afterAll(async () => {
    await upstream?.stop();
    await bytes?.stop();
    await s3?.stop();
  });

  async function start(anonymous: 'read' | 'none'): Promise<void> {
    // Another host than the server's, as it would be: clients keep their token from it.
    const url = s3.url(await s3.bucket(), bytes.port).replace('//127.0.0.1', '//localhost');
    const settings = ['--anonymous', anonymous, '--defaults', 'false', '--storage-redirect', 'true'];
    server = await ServerProcess.launch({ alone: true }, ...settings, '--storage-url', url);
    token = server.token;
  }
  afterEach(async () => {
    for (const machine of machines.splice(0)) await machine.remove();
    await server?.stop();
  });

  const withToken = (path: string) => server.url.replace('//', `//ci:${token}@`) + path;
  const ask = (pull: Pull, init: RequestInit = {}) =>
    fetch(`${server.url}/public/${pull.path}`, {
      redirect: 'manual',
      ...init,
      headers: { authorization: `Bearer ${token}` },
    });

  async function installed(context: Skippable, install: Install): Promise<Pull[]> {
    const before = new Set((await server.pulls()).map(({ id }) => id));
    const machine = await FreshMachine.create();
    machines.push(machine);
    await install(context, machine);
    return (await server.pulls()).filter(({ id, role }) => role === 'package' && !before.has(id));
  }

  const npmClient = npm(11);
  const clients: readonly (readonly [string, string, Install])[] = [
    [
      'npm',
      'npm',
      async (context, machine) => {
        const registry = `${server.url}/public/`;
        await machine.write({
          'package.json': '{"name":"walk","version":"1.0.0","dependencies":{"express":"^4.21.0"}}',
          '.npmrc': `registry=${registry}\n${registry.replace('http:', '')}:_authToken=${token}\n`,
        });
        await machine.succeed([...npmClient.command(context), 'install'], {
          ...npmClient.env?.(machine.home),
          ...DIRECT,
        });
      },
    ],
    [
      'pip',
      'pypi',
      async (context, machine) => {
        const python = requireTool(context, 'python3', 'install Python 3 with pip and venv');
        await machine.succeed([python, '-m', 'venv', '--without-pip', '.venv']);
        const env = { PIP_CONFIG_FILE: '/dev/null', PIP_INDEX_URL: withToken('/public/simple/'), ...DIRECT };
        const into = ['-m', 'pip', '--python', '.venv/bin/python', 'install', '--no-cache-dir'];
        await machine.succeed([python, ...into, 'requests'], env);
      },
    ],
    [
      'cargo',
      'cargo',
      async (context, machine) => {
        const cargo = requireTool(context, 'cargo', 'install Rust');
        await mkdir(join(machine.project, 'src'));
        await mkdir(join(machine.project, '.cargo'));
        const source = `[source.entrepot]\nregistry = "sparse+${server.url}/public/"\n`;
        await machine.write({
          'Cargo.toml': '[package]\nname = "walk"\nversion = "1.0.0"\n[dependencies]\nsemver = "1"\nhex = "0.4"\n',
          'src/main.rs': 'fn main() {}\n',
          '.cargo/config.toml': `[source.crates-io]\nreplace-with = "entrepot"\n${source}`,
        });
        await machine.succeed([cargo, 'fetch'], {
          CARGO_HOME: join(machine.home, 'cargo'),
          RUSTUP_HOME: process.env['RUSTUP_HOME'] ?? join(homedir(), '.rustup'),
        });
      },
    ],
  ];

  test.for(clients)(
    '%s installs what it is sent to, and each pull is on record',
    async ([, format, install], context) => {
      await start(format === 'cargo' ? 'read' : 'none');
      await server.manage('POST', '/remotes', { name: 'public', format, proxy_url: upstream.url });
      const first = await installed(context, install);
      expect(first.length).toBeGreaterThan(0);
      const second = await installed(context, install);
      expect(second.map(({ path }) => path).sort()).toEqual(first.map(({ path }) => path).sort());
      expect(new Set(second.map(({ cache, decision }) => `${cache} ${decision}`))).toEqual(new Set(['hit allowed']));
      for (const pull of second) {
        const sent = await ask(pull);
        expect([sent.status, sent.headers.get('cache-control')]).toEqual([307, 'no-store']);
        expect(new URL(sent.headers.get('location') ?? '').host).toBe(`localhost:${bytes.port}`);
        expect((await ask(pull, { method: 'HEAD' })).status).toBe(200);
      }
      const [one] = second;
      if (!one) throw new Error('nothing was installed');
      await server.manage('POST', '/blocks', { name: 'all', packages: [one.purl?.split('@')[0]], reason: 'it is bad' });
      const refused = await ask(one);
      expect([refused.status, refused.headers.get('location')]).toEqual([403, null]);
    },
  );
});
