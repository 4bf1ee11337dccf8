import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { FreshMachine } from '../support/clients.ts';
import { MirroredRegistry } from '../support/mirrored-registry.ts';
import { digestsOf, imageOf, multiArchitectureImageOf, topOf } from '../support/oci-image.ts';
import { Program } from '../support/program.ts';
import { requireTool } from '../support/require-tool.ts';

const APP = multiArchitectureImageOf('app');
const OTHER = imageOf('other');

let registry: MirroredRegistry;
let machine: FreshMachine;
let containerd: Program;
let ctr: string;
/** Of containerd; the path of a socket is short. */
let folder: string;

/** Images whose names begin with `namespace` come from `url`, and from nowhere else. */
async function mirror(namespace: string, url: string, ...settings: readonly string[]): Promise<void> {
  const place = join(folder, 'hosts', namespace);
  await mkdir(place, { recursive: true });
  const lines = [`server = "${url}"`, `[host."${url}"]`, 'capabilities = ["pull", "resolve"]', ...settings];
  await writeFile(join(place, 'hosts.toml'), `${lines.join('\n')}\n`);
}

const command = (...args: readonly string[]) => [ctr, `--address=${join(folder, 's')}`, ...args];
const pullCommand = (image: string, ...args: readonly string[]) =>
  command('images', 'pull', '--snapshotter=native', `--hosts-dir=${join(folder, 'hosts')}`, ...args, image);

/** Digest of what the tag names, and of everything that is held. */
async function pull(image: string, ...args: readonly string[]): Promise<{ top: string; digests: string[] }> {
  await machine.succeed(pullCommand(image, ...args));
  const listed = (await machine.succeed(command('images', 'ls'))).split('\n').find((line) => line.startsWith(image));
  const held = await machine.succeed(command('content', 'ls', '--quiet'));
  return { top: /sha256:[0-9a-f]{64}(?= )/.exec(listed ?? '')?.[0] ?? '', digests: held.trim().split('\n').sort() };
}

const whole = (image: typeof APP) => ({ top: topOf(image).digest, digests: digestsOf(image) });

async function refused(image: string): Promise<string> {
  const { code, text } = await machine.run(pullCommand(image));
  expect(code).not.toBe(0);
  return text;
}

/** containerd with nothing in it. */
async function start(program: string): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'ctr-'));
  const settings = [
    'version = 2',
    `root = "${join(folder, 'root')}"`,
    `state = "${join(folder, 'state')}"`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
    '[grpc]',
    `address = "${join(folder, 's')}"`,
  ];
  await writeFile(join(folder, 'config.toml'), `${settings.join('\n')}\n`);
  const command = [program, '--config', join(folder, 'config.toml')];
  containerd = await Program.start(command, { ready: /successfully booted/ });
}

beforeEach(async (context) => {
  const upstream = requireTool(context, 'docker-registry', 'apt-get install docker-registry');
  const daemon = requireTool(context, 'containerd', 'apt-get install containerd');
  ctr = requireTool(context, 'ctr', 'apt-get install containerd');
  registry ??= await MirroredRegistry.start(upstream);
  await registry.upstream.join();
  await registry.configure({});
  await registry.upstream.push('acme/app', 'v1', APP);
  await registry.upstream.push('acme/other', 'v1', OTHER);
  machine = await FreshMachine.create();
  await start(daemon);
});
afterEach(async () => {
  await containerd?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  await machine?.remove();
});
afterAll(() => registry?.stop());

test('pulls every architecture from the server itself', async () => {
  expect(await pull(`${registry.host}/team/acme/app:v1`, '--plain-http', '--all-platforms')).toEqual(whole(APP));
});

test('pulls from the mirror of a registry, whose name it sends along', async () => {
  const { host } = registry.upstream;
  await mirror(host, registry.server.url);
  await registry.pulled();
  expect(await pull(`${host}/acme/app:v1`, '--all-platforms')).toEqual(whole(APP));
  expect((await registry.pulled()).paths).toContain(`acme/app/manifests/${topOf(APP).digest}`);
});

test('pulls from a mirror below a path', async () => {
  await mirror('images.test', `${registry.server.url}/v2/team`, 'override_path = true');
  await registry.pulled();
  expect(await pull('images.test/acme/app:v1', '--all-platforms')).toEqual(whole(APP));
  expect((await registry.pulled()).paths).toContain(`acme/app/manifests/${topOf(APP).digest}`);
});

test('pulls the same while the upstream is away', async () => {
  const image = `${registry.host}/team/acme/other:v1`;
  expect(await pull(image, '--plain-http')).toEqual(whole(OTHER));
  await registry.pulled();
  await registry.upstream.cut();
  await machine.succeed(command('images', 'rm', '--sync', image));
  expect(await pull(image, '--plain-http')).toEqual(whole(OTHER));
  expect((await registry.pulled()).caches).toEqual(new Set(['hit']));
});

test('says why an image is refused', async () => {
  const reason = await registry.block('acme/app');
  const { host } = registry.upstream;
  await mirror(host, registry.server.url);
  expect(await refused(`${host}/acme/app:v1`)).toContain(reason);
  expect((await pull(`${host}/acme/other:v1`)).top).toBe(topOf(OTHER).digest);
});

test('is told that nobody here mirrors the registry', async () => {
  await mirror('images.test', registry.server.url);
  expect(await refused('images.test/acme/app:v1')).toContain('not found');
});
