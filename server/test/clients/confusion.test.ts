import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FreshMachine, type Outcome } from '../support/clients.ts';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { HostedClient } from '../support/hosted-client.ts';
import { publish as publishUpstream } from '../support/npm-package.ts';
import { makePythonPackage } from '../support/python-package.ts';
import { requireTool } from '../support/require-tool.ts';
import { ServerProcess } from '../support/server-process.ts';
import { installed } from './installed.ts';

/** A package of one's own, and a public one of the same name and version 999 in a member that stands before it. */

let server: ServerProcess;
let upstream: FakeUpstream;
let own: HostedClient;
const machines: FreshMachine[] = [];

async function fresh(): Promise<FreshMachine> {
  const machine = await FreshMachine.create();
  machines.push(machine);
  return machine;
}

async function start(format: string, claims: readonly string[]): Promise<void> {
  upstream = await FakeUpstream.start();
  server = await ServerProcess.start('--defaults', 'false');
  own = new HostedClient(server, 'own');
  await server.manage('POST', '/hosted', { name: 'own', format });
  await server.manage('POST', '/remotes', { name: 'public', format, url: upstream.url, allow_private_network: true });
  for (const merge of ['first', 'union'])
    await server.manage('POST', '/virtuals', { name: merge, format, members: ['public', 'own'], merge, claims });
}

afterEach(async () => {
  for (const machine of machines.splice(0)) await machine.remove();
});

const asked = (name: RegExp) => upstream.requests.filter(({ path }) => name.test(path)).map(({ path }) => path);

describe('npm', () => {
  const NAME = '@acme/parts';
  let npm: readonly string[];
  let ready: Promise<void> | undefined;

  beforeEach(async (context) => {
    npm = [process.execPath, installed(context, 'npm@11')];
    ready ??= prepare();
    await ready;
  });

  async function prepare(): Promise<void> {
    await start('npm', ['@acme/*']);
    const says = `module.exports = 'own';\n`;
    expect(
      (await own.publish({ name: NAME, version: '1.0.0', tarball: await packed(NAME, '1.0.0', says) })).status,
    ).toBe(201);
    publishUpstream(upstream, NAME, [
      { version: '1.0.0', tarball: await packed(NAME, '1.0.0', `module.exports = 'stolen';\n`) },
      { version: '999.0.0', tarball: await packed(NAME, '999.0.0', `module.exports = 'stolen';\n`) },
    ]);
    publishUpstream(upstream, 'walk-open', [
      { version: '2.0.0', tarball: await packed('walk-open', '2.0.0', `module.exports = 'open';\n`) },
    ]);
    upstream.respond('/-/npm/v1/security/advisories/bulk', { body: '{}' }, 'POST');
  }
  afterAll(async () => {
    await server?.stop();
    await upstream?.stop();
  });

  async function packed(name: string, version: string, code: string): Promise<Buffer> {
    const machine = await fresh();
    await machine.write({ 'package.json': JSON.stringify({ name, version, main: 'index.js' }), 'index.js': code });
    await machine.succeed([...npm, 'pack']);
    const file = (await readdir(machine.project)).find((each) => each.endsWith('.tgz')) ?? '';
    return readFile(join(machine.project, file));
  }

  async function install(registry: string, ...specs: string[]): Promise<Outcome> {
    const machine = await fresh();
    const npmrc = `registry=${server.url}/${registry}/\nfetch-retries=0\nupdate-notifier=false\n`;
    await machine.write({ 'package.json': '{"name":"walk","version":"1.0.0"}', '.npmrc': npmrc });
    const { code, text } = await machine.run([...npm, 'install', ...specs]);
    if (code !== 0) return { code, text };
    const name = specs[0]?.replace(/(?<=.)@.*$/, '') ?? '';
    return { code, text: await readFile(join(machine.project, 'node_modules', name, 'index.js'), 'utf8') };
  }

  test.each(['first', 'union'])(
    'installs the private package, and asks the public registry for its own: %s',
    async (merge) => {
      for (const spec of [NAME, `${NAME}@latest`, `${NAME}@>=1`])
        expect(await install(merge, spec, 'walk-open')).toEqual({ code: 0, text: `module.exports = 'own';\n` });
      const { code, text } = await install(merge, `${NAME}@999.0.0`);
      expect([code, text]).toEqual([1, expect.stringContaining('No matching version found for @acme/parts@999.0.0')]);
      expect(asked(/acme/)).toEqual([]);
      expect(asked(/walk-open/)).not.toEqual([]);
      const audits = upstream.requests.filter(({ method }) => method === 'POST').map(({ body }) => String(body));
      expect(audits.filter((body) => body.includes('acme'))).toEqual([]);
    },
  );

  test('is told why the public member does not give it', async () => {
    const { code, text } = await install('public', NAME);
    expect([code, text]).toEqual([
      1,
      expect.stringMatching(/403.*the claims of the virtual "first" \(@acme\/\*\) give it to "own"/),
    ]);
    expect(asked(/acme/)).toEqual([]);
  });
});

describe('pip', () => {
  const NAME = 'acme-parts';

  let ready: Promise<void> | undefined;

  beforeEach(async (context) => {
    requireTool(context, 'python3', 'install Python 3 with pip');
    ready ??= prepare();
    await ready;
  });

  async function prepare(): Promise<void> {
    await start('pypi', ['Acme_*']);
    const [mine, stolen] = [await made('1.0', 'own'), await made('999', 'stolen')];
    const fields = { name: NAME, version: '1.0', filetype: 'bdist_wheel', pyversion: 'py3', metadata_version: '2.1' };
    expect((await own.upload(fields, mine)).status).toBe(200);
    const page = {
      meta: { 'api-version': '1.0' },
      name: NAME,
      files: [{ filename: stolen.name, url: `${upstream.url}/x`, hashes: {} }],
    };
    upstream.respond(`/simple/${NAME}/`, {
      body: JSON.stringify(page),
      headers: { 'content-type': 'application/vnd.pypi.simple.v1+json' },
    });
    upstream.respond('/x', { body: stolen.bytes });
  }
  afterAll(async () => {
    await server?.stop();
    await upstream?.stop();
  });

  async function made(version: string, says: string) {
    const machine = await fresh();
    await makePythonPackage(machine, NAME, version, says);
    const name = `acme_parts-${version}-py3-none-any.whl`;
    return { name, bytes: await readFile(join(machine.project, 'dist', name)) };
  }

  async function install(registry: string, spec: string): Promise<Outcome> {
    const machine = await fresh();
    const env = {
      PIP_CONFIG_FILE: '/dev/null',
      PIP_INDEX_URL: `${server.url}/${registry}/simple/`,
      PIP_NO_CACHE_DIR: '1',
      PIP_RETRIES: '0',
      PIP_DISABLE_PIP_VERSION_CHECK: '1',
    };
    const outcome = await machine.run(['python3', '-m', 'pip', 'install', '--target', 'here', spec], env);
    if (outcome.code !== 0) return outcome;
    return { code: 0, text: await readFile(join(machine.project, 'here', 'acme_parts.py'), 'utf8') };
  }

  test.each(['first', 'union'])('installs the private project however its name is written: %s', async (merge) => {
    for (const spec of ['acme-parts', 'Acme.Parts', 'acme_parts>=1'])
      expect(await install(merge, spec)).toEqual({ code: 0, text: "says = 'own'\n" });
    const { code, text } = await install(merge, 'acme-parts==999');
    expect([code, text]).toEqual([1, expect.stringContaining('No matching distribution found for acme-parts==999')]);
    expect(asked(/acme/i)).toEqual([]);
  });

  test('gets nothing of that name from the public member', async () => {
    const { code, text } = await install('public', NAME);
    expect([code, text]).toEqual([1, expect.stringContaining('No matching distribution found for acme-parts')]);
    expect(asked(/acme/i)).toEqual([]);
  });
});
