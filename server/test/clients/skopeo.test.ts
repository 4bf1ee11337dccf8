import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import type { FreshMachine } from '../support/clients.ts';
import { containerMachine, layoutDigests, layoutTop } from '../support/container-machine.ts';
import { MirroredRegistry } from '../support/mirrored-registry.ts';
import { digestsOf, imageOf, multiArchitectureImageOf, topOf } from '../support/oci-image.ts';
import { requireTool } from '../support/require-tool.ts';
import { ServerProcess } from '../support/server-process.ts';

const APP = multiArchitectureImageOf('app');
const OTHER = imageOf('other');

let registry: MirroredRegistry;
let skopeo: string;
let machine: FreshMachine;

const address = (reference: string) => `docker://${registry.host}/team/${reference}`;
const plain = '--tls-verify=false';

/** Into a folder of the machine, with every architecture. */
const copyCommand = (reference: string, to: string) => [
  skopeo,
  'copy',
  '--all',
  '--src-tls-verify=false',
  address(reference),
  `oci:${to}:v1`,
];

async function copy(reference: string, to = 'copy'): Promise<{ top: string; digests: string[] }> {
  const folder = join(machine.project, to);
  await rm(folder, { recursive: true, force: true });
  await machine.succeed(copyCommand(reference, to));
  return { top: await layoutTop(folder), digests: await layoutDigests(folder) };
}

/** What the whole image is when it has arrived. */
const whole = (image: typeof APP) => ({ top: topOf(image).digest, digests: digestsOf(image) });

const tagsOf = async (name: string): Promise<string[]> =>
  JSON.parse(await machine.succeed([skopeo, 'list-tags', plain, address(name)])).Tags;

/** What skopeo says, which it writes as a log line. */
async function refused(...command: readonly string[]): Promise<string> {
  const { code, text } = await machine.run(command);
  expect(code).not.toBe(0);
  return text.replaceAll('\\"', '"');
}

beforeEach(async (context) => {
  skopeo = requireTool(context, 'skopeo', 'apt-get install skopeo');
  const upstream = requireTool(context, 'docker-registry', 'apt-get install docker-registry');
  machine = await containerMachine();
  if (registry) return;
  registry = await MirroredRegistry.start(upstream);
  for (const tag of ['v1', 'v2', 'latest']) await registry.upstream.push('acme/app', tag, APP);
  await registry.upstream.push('acme/other', 'v1', OTHER);
});
afterEach(async () => {
  await machine?.remove();
});
afterAll(() => registry?.stop());

test('copies an image of two architectures, each of its parts fetched once', async () => {
  expect(await copy('acme/app:v1')).toEqual(whole(APP));
  const blobs = registry.upstream.asked.filter((request) => request.startsWith('GET ') && request.includes('/blobs/'));
  expect(blobs.length).toBe(APP.blobs.length - 1);
  expect(new Set(blobs).size).toBe(blobs.length);
  const { paths } = await registry.pulled();
  expect(paths).toEqual(expect.arrayContaining(APP.manifests.map(({ digest }) => `acme/app/manifests/${digest}`)));
});

test('copies by digest', async () => {
  expect(await copy(`acme/app@${topOf(APP).digest}`)).toEqual(whole(APP));
  expect(await copy(`acme/other@${topOf(OTHER).digest}`, 'other')).toEqual(whole(OTHER));
});

test('lists tags', async () => {
  expect(await tagsOf('acme/app')).toEqual(['latest', 'v1', 'v2']);
});

test('inspects an image, whose manifest is the very bytes of the upstream', async () => {
  const child = APP.manifests[0];
  const inspect = [skopeo, 'inspect', plain, '--override-arch=amd64', '--override-os=linux'];
  const seen = JSON.parse(await machine.succeed([...inspect, address('acme/app:v1')]));
  expect(seen.Name).toBe(`${registry.host}/team/acme/app`);
  expect(seen.Digest).toBe(topOf(APP).digest);
  expect(seen.RepoTags).toEqual(['latest', 'v1', 'v2']);
  expect(seen.Labels).toEqual({ title: 'app' });
  const raw = [skopeo, 'inspect', plain, '--raw', address(`acme/app@${child?.digest}`)];
  expect(await machine.succeed(raw)).toBe(child?.bytes.toString());
});

test('says that an image is not there', async () => {
  expect(await refused(...copyCommand('acme/none:v1', 'none'))).toMatch(/(name|manifest) unknown/);
  expect(await refused(...copyCommand('acme/app:v9', 'none'))).toContain('manifest unknown');
});

test('a tag that moved is the new image', async () => {
  await registry.upstream.push('acme/moving', 'v1', OTHER);
  expect(await copy('acme/moving:v1')).toEqual(whole(OTHER));
  await registry.upstream.push('acme/moving', 'v1', APP);
  await expect.poll(() => copy('acme/moving:v1', 'moved')).toEqual(whole(APP));
});

test('says why an image is refused', async () => {
  const reason = await registry.block('acme/app');
  expect(await refused(...copyCommand('acme/app:v1', 'no'))).toContain(reason);
  expect(await refused(...copyCommand(`acme/app@${topOf(APP).digest}`, 'no'))).toContain(reason);
  expect(await refused(skopeo, 'inspect', plain, address('acme/app:v1'))).toContain(reason);
  // skopeo 1.9 does not show what the answer says when it lists tags.
  expect(await refused(skopeo, 'list-tags', plain, address('acme/app'))).toContain('403 (Forbidden)');
  expect(await copy('acme/other:v1')).toEqual(whole(OTHER));
});

test('says why a tag is refused, does not list it, and serves the image by its digest', async () => {
  await registry.configure({ ban_tags: ['^latest$'] });
  const text = await refused(...copyCommand('acme/app:latest', 'no'));
  expect(text).toContain('latest');
  expect(text).toContain('^latest$');
  await expect.poll(() => tagsOf('acme/app')).toEqual(['v1', 'v2']);
  expect(await copy(`acme/app@${topOf(APP).digest}`)).toEqual(whole(APP));
});

test('copies the same again while the upstream is away', async () => {
  await registry.configure({});
  await registry.pulled();
  await registry.upstream.cut();
  expect(await copy('acme/app:v1')).toEqual(whole(APP));
  expect(await copy(`acme/other@${topOf(OTHER).digest}`, 'other')).toEqual(whole(OTHER));
  const { paths, caches } = await registry.pulled();
  expect(paths).toEqual(expect.arrayContaining(APP.manifests.map(({ digest }) => `acme/app/manifests/${digest}`)));
  expect(caches).toEqual(new Set(['hit']));
  expect(await tagsOf('acme/app')).toEqual(['latest', 'v1', 'v2']);
  expect(await refused(...copyCommand('acme/never:v1', 'no'))).not.toContain('unknown');
  await registry.upstream.join();
});

test('signs in with a token where nobody may read without one', async () => {
  const server = await ServerProcess.start('--defaults', 'false', '--anonymous', 'none');
  try {
    const { url } = registry.upstream;
    await server.manage('POST', '/remotes', { name: 'team', format: 'oci', url, allow_private_network: true });
    const { host } = new URL(server.url);
    const from = `docker://${host}/team/acme/app:v1`;
    const command = [skopeo, 'copy', '--all', '--src-tls-verify=false', from, 'oci:copy:v1'];
    const login = (password: string) => [skopeo, 'login', plain, '--username=builds', `--password=${password}`, host];
    expect(await refused(...command)).toMatch(/unauthorized|authentication required/);
    expect(await refused(...login('entrepot_wrong'))).toMatch(/invalid username\/password|unauthorized/);
    const env = { REGISTRY_AUTH_FILE: join(machine.home, 'auth.json') };
    expect(await machine.succeed(login(server.token), env)).toContain('Login Succeeded!');
    await machine.succeed(command, env);
    expect(await layoutDigests(join(machine.project, 'copy'))).toEqual(digestsOf(APP));
    const rows = (await server.pulls()).filter(({ decision }) => decision === 'allowed');
    expect(rows.length).toBeGreaterThan(0);
  } finally {
    await server.stop();
  }
});
