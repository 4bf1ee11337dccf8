import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { FreshMachine } from '../support/clients.ts';
import { DockerDaemon } from '../support/docker-daemon.ts';
import { MirroredRegistry } from '../support/mirrored-registry.ts';
import { imageOf, multiArchitectureImageOf, topOf } from '../support/oci-image.ts';
import { requireTool } from '../support/require-tool.ts';

const APP = multiArchitectureImageOf('app');
const OTHER = imageOf('other');

let registry: MirroredRegistry;
let machine: FreshMachine;
let dockerd: DockerDaemon;
let docker: string;

const environment = () => ({ DOCKER_HOST: dockerd.host, DOCKER_CONFIG: join(machine.home, 'docker') });
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
  dockerd = await DockerDaemon.start(daemon, registry.server.url);
});
afterEach(async () => {
  await dockerd?.stop();
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
