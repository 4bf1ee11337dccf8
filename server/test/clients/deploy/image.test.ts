import { existsSync } from 'node:fs';
import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { ContainerTools } from '../../support/container-tools.ts';
import { FakeUpstream } from '../../support/fake-upstream.ts';
import { freePort } from '../../support/free-port.ts';
import { requireTool } from '../../support/require-tool.ts';
import { seccompOf } from '../../support/syscall-filter.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const USER = 10001;
/** Milliseconds; two minutes on a machine with nothing else to do. */
const BUILT_WITHIN = 600_000;
/** Of a container that needs nothing of its machine, as the compose file and the chart start it. */
const HARDENED = [
  '--read-only',
  '--cap-drop=ALL',
  '--security-opt=no-new-privileges',
  '--network=host',
  '--ulimit=nofile=4096:4096',
  '--ulimit=nproc=1024:1024',
];

let tools: ContainerTools | undefined;
let image: string;
let count = 0;

beforeEach(async (context) => {
  const programs = {
    buildah: requireTool(context, 'buildah', 'apt-get install buildah'),
    podman: requireTool(context, 'podman', 'apt-get install podman'),
  };
  requireTool(context, 'runc', 'apt-get install runc');
  if (process.getuid?.() !== 0) context.skip('images are built as root here');
  if (tools) return;
  tools = await ContainerTools.open(programs);
  const base = await tools.base('node');
  await tools.build('entrepot', ROOT, { NODE_IMAGE: base, VERSION: '9.9.9', REVISION: 'abc' });
  image = 'localhost/entrepot';
}, BUILT_WITHIN);
afterEach(async () => {
  await tools?.tried('rm', '--all', '--force', '--time', '0');
});
afterAll(() => tools?.remove());

function machine(): ContainerTools {
  if (!tools) throw new Error('nothing was built');
  return tools;
}

interface Started {
  readonly name: string;
  readonly url: string;
  readonly data: string;
}

/** A started container on a port of loopback, its data in a folder that only its user can write to. */
async function started({ options = [] }: { readonly options?: readonly string[] } = {}): Promise<Started> {
  count += 1;
  const name = `entrepot-${count}`;
  const data = join(machine().folder, name);
  await mkdir(data, { mode: 0o700 });
  await chown(data, USER, USER);
  const listen = `127.0.0.1:${await freePort()}`;
  const given = ['--env', `ENTREPOT_LISTEN=${listen}`, '--env', 'ENTREPOT_DEFAULTS=false', '--volume', `${data}:/data`];
  await machine().podman('run', '--detach', '--name', name, ...HARDENED, ...options, ...given, image);
  return { name, url: `http://${listen}`, data };
}

/** What the image's own health check comes to. */
async function health(name: string): Promise<number> {
  const dockerfile = await readFile(join(ROOT, 'Dockerfile'), 'utf8');
  const [, command = '[]'] = /^HEALTHCHECK .* CMD (\[.*\])$/m.exec(dockerfile) ?? [];
  return (await machine().tried('exec', name, ...(JSON.parse(command) as string[]))).code;
}

async function remote(url: string, data: string, upstream: FakeUpstream): Promise<void> {
  const token = (await readFile(join(data, 'admin-token'), 'utf8')).trim();
  const spec = { name: 'files', format: 'generic', url: upstream.url, allow_private_network: true };
  const { status } = await fetch(`${url}/api/v2/remotes/files`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(spec),
  });
  expect(status).toBe(201);
}

test('the image serves with a read-only root, no rights and no user of its machine, and has a volume for its data', async () => {
  const upstream = await FakeUpstream.start();
  const body = Buffer.alloc(3_000_000, 'package');
  upstream.respond('/tool-1.0.tar.gz', { body });
  const { name, url, data } = await started();
  await expect.poll(() => health(name)).toBe(0);
  await remote(url, data, upstream);
  for (const cache of ['miss', 'hit']) {
    const answer = await fetch(`${url}/files/tool-1.0.tar.gz`);
    expect([answer.status, answer.headers.get('x-cache')]).toEqual([200, cache]);
    expect(Buffer.from(await answer.arrayBuffer()).equals(body)).toBe(true);
  }
  const shell = async (line: string) => (await machine().tried('exec', name, 'sh', '-c', line)).said;
  expect(await shell('id -u; id -g')).toBe(`${USER}\n${USER}\n`);
  expect(await shell('echo > /app/x')).toContain('Read-only file system');
  expect(await shell('cat /proc/1/cmdline')).toContain('entrepot');
  // What is native was installed too.
  expect(
    await shell('cd /app/server && node -e "console.log(typeof require(\'@napi-rs/lzma/xz\').compressSync)"'),
  ).toBe('function\n');
  await upstream.stop();
});

test('as process 1 it ends in order when it is stopped, and its health check notices', async () => {
  const { name } = await started();
  await expect.poll(() => health(name)).toBe(0);
  await machine().podman('stop', '--time', '60', name);
  const [{ State }] = JSON.parse(await machine().podman('inspect', name));
  expect(State).toMatchObject({ Status: 'exited', ExitCode: 0 });
  expect((await machine().podman('logs', name)).trimEnd().split('\n').at(-1)).toContain(
    'SIGTERM: letting transfers end',
  );
});

test('stopped while it starts it ends without being killed', async () => {
  const { name, data } = await started();
  await expect.poll(() => existsSync(join(data, 'lock'))).toBe(true);
  await machine().podman('stop', '--time', '60', name);
  const [{ State }] = JSON.parse(await machine().podman('inspect', name));
  expect([0, 143]).toContain(State.ExitCode);
});

test('it needs no more of the kernel than the systemd unit gives it', async (context) => {
  const analyze = requireTool(context, 'systemd-analyze', 'apt-get install systemd');
  const unit = await readFile(join(ROOT, 'deploy/systemd/entrepot.service'), 'utf8');
  const profile = join(machine().folder, 'seccomp.json');
  await writeFile(profile, JSON.stringify(seccompOf(unit, analyze)));
  const upstream = await FakeUpstream.start();
  upstream.respond('/tool-1.0.tar.gz', { body: 'tool' });
  const { name, url, data } = await started({ options: [`--security-opt=seccomp=${profile}`] });
  await expect.poll(() => health(name)).toBe(0);
  expect((await machine().tried('exec', name, 'chown', '1', '/data')).said).toContain('Operation not permitted');
  await remote(url, data, upstream);
  expect(await (await fetch(`${url}/files/tool-1.0.tar.gz`)).text()).toBe('tool');
  await upstream.stop();
});

test('without the address that clients use it says so in one line and ends', async () => {
  const { code, said } = await machine().tried('run', '--rm', ...HARDENED, '--tmpfs=/data', image);
  expect(code).toBe(1);
  expect(said).toMatch(/^entrepot: environment ENTREPOT_LISTEN is reachable from other machines: set base_url/m);
});

test('the image names its user by number, what it is, and nothing secret', async () => {
  const config = await machine().configOf(image);
  expect(config).toMatchObject({
    User: `${USER}:${USER}`,
    Entrypoint: ['entrepot'],
    Cmd: ['serve'],
    StopSignal: 'SIGTERM',
    Volumes: { '/data': {} },
    ExposedPorts: { '8080/tcp': {} },
    Labels: {
      'org.opencontainers.image.title': 'Entrepot',
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.version': '9.9.9',
      'org.opencontainers.image.revision': 'abc',
    },
  });
  const names = config.Env.map((variable) => variable.split('=')[0]).filter((name) => name?.startsWith('ENTREPOT_'));
  expect(names.sort()).toEqual(['ENTREPOT_DATA', 'ENTREPOT_LISTEN']);
});

test('the image holds the program and what it needs to run, no tools, no tests, no Node of its own', async () => {
  const { said } = await machine().tried('run', '--rm', '--entrypoint=find', ...HARDENED, image, '/app', '-type', 'f');
  const files = said.split('\n');
  expect(files).toContain('/app/server/dist/cli/main.js');
  expect(files).toContain('/app/LICENSE');
  const unwanted =
    /\/node_modules\/(typescript|vitest|node-linux-[^/]+|@biomejs)\/|\/server\/dist\/.*\.(test|contract)\.|\/app\/\.npmrc$/;
  expect(files.filter((file) => unwanted.test(file))).toEqual([]);
});
