import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { FreshMachine } from '../support/clients.ts';
import { MirroredRegistry } from '../support/mirrored-registry.ts';
import { imageOf, multiArchitectureImageOf, topOf } from '../support/oci-image.ts';
import { Program } from '../support/program.ts';
import { requireTool } from '../support/require-tool.ts';

const APP = multiArchitectureImageOf('app');
const OTHER = imageOf('other');

/** Nobody listens there: the public registry, to which dockerd turns when a mirror refuses, is out of its reach. */
const NOWHERE = 'http://127.0.0.1:9';

let registry: MirroredRegistry;
let machine: FreshMachine;
let dockerd: Program;
let docker: string;
/** Of dockerd; the path of a socket is short. */
let folder: string;

const environment = () => ({ DOCKER_HOST: `unix://${join(folder, 's')}`, DOCKER_CONFIG: join(machine.home, 'docker') });
const run = (...args: readonly string[]) => machine.succeed([docker, ...args], environment());

/** Digest of the image as it was asked for, and of its configuration. */
async function pull(image: string): Promise<{ top: string | undefined; id: string | undefined }> {
  await run('pull', '--quiet', image);
  const [seen] = JSON.parse(await run('image', 'inspect', image));
  return { top: seen.RepoDigests[0].split('@')[1], id: seen.Id };
}

const whole = (image: typeof APP) => ({ top: topOf(image).digest, id: image.blobs[0]?.digest });

async function refused(...args: readonly string[]): Promise<string> {
  const { code, text } = await machine.run([docker, ...args], environment());
  expect(code).not.toBe(0);
  return text;
}

/** dockerd with nothing in it. */
async function start(program: string): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'dkr-'));
  const settings = {
    'data-root': join(folder, 'data'),
    'exec-root': join(folder, 'exec'),
    pidfile: join(folder, 'pid'),
    hosts: [`unix://${join(folder, 's')}`],
    'storage-driver': 'vfs',
    bridge: 'none',
    iptables: false,
    'ip-forward': false,
    'ip-masq': false,
    'registry-mirrors': [registry.server.url],
    'insecure-registries': ['127.0.0.0/8'],
  };
  await writeFile(join(folder, 'daemon.json'), JSON.stringify(settings));
  dockerd = await Program.start([program, '--config-file', join(folder, 'daemon.json')], {
    ready: /API listen on/,
    env: { HTTPS_PROXY: NOWHERE, HTTP_PROXY: NOWHERE, NO_PROXY: '127.0.0.1' },
  });
}

beforeEach(async (context) => {
  const upstream = requireTool(context, 'docker-registry', 'apt-get install docker-registry');
  const daemon = requireTool(context, 'dockerd', 'apt-get install docker.io');
  docker = requireTool(context, 'docker', 'apt-get install docker.io');
  // A mirror of dockerd has no path: it is the repository of the protocol's own name.
  registry ??= await MirroredRegistry.start(upstream, 'oci');
  await registry.upstream.join();
  await registry.configure({});
  await registry.upstream.push('library/app', 'v1', APP);
  await registry.upstream.push('acme/other', 'v1', OTHER);
  machine = await FreshMachine.create();
  await start(daemon);
});
afterEach(async () => {
  await dockerd?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  await machine?.remove();
});
afterAll(() => registry?.stop());

test('pulls from the server itself, by tag and by digest', async () => {
  expect(await pull(`${registry.host}/oci/library/app:v1`)).toEqual(whole(APP));
  expect(await pull(`${registry.host}/acme/other@${topOf(OTHER).digest}`)).toEqual(whole(OTHER));
});

test('pulls an image of the public registry from its mirror', async () => {
  await registry.pulled();
  expect(await pull('app:v1')).toEqual(whole(APP));
  expect(await pull('acme/other:v1')).toEqual(whole(OTHER));
  expect((await registry.pulled()).paths).toContain(`library/app/manifests/${topOf(APP).digest}`);
});

test('pulls the same while the upstream is away', async () => {
  expect(await pull('acme/other:v1')).toEqual(whole(OTHER));
  await registry.pulled();
  await registry.upstream.cut();
  await run('image', 'rm', 'acme/other:v1');
  expect(await pull('acme/other:v1')).toEqual(whole(OTHER));
  expect((await registry.pulled()).caches).toEqual(new Set(['hit']));
});

test('says why an image is refused', async () => {
  const reason = await registry.block('library/app');
  expect(await refused('pull', `${registry.host}/oci/library/app:v1`)).toContain(reason);
  await refused('pull', 'app:v1');
  expect(await pull('acme/other:v1')).toEqual(whole(OTHER));
});

test('signs in with a token', async () => {
  const login = (password: string) => ['login', '--username=builds', `--password=${password}`, registry.host];
  expect(await refused(...login('entrepot_wrong'))).toMatch(/unauthorized/i);
  expect(await run(...login(registry.server.token))).toContain('Login Succeeded');
  expect(await pull(`${registry.host}/oci/library/app:v1`)).toEqual(whole(APP));
});
