import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import type { FreshMachine } from '../support/clients.ts';
import { containerMachine } from '../support/container-machine.ts';
import { MirroredRegistry } from '../support/mirrored-registry.ts';
import { imageOf, multiArchitectureImageOf, topOf } from '../support/oci-image.ts';
import { requireTool } from '../support/require-tool.ts';

const APP = multiArchitectureImageOf('app');
const OTHER = imageOf('other');

/** What its clients know the upstream as; they reach it only through the mirror. */
const UPSTREAM = 'images.test';

let registry: MirroredRegistry;
let tools: { readonly buildah: string; readonly podman: string };
let machine: FreshMachine;

const mirrors = () => `
[[registry]]
location = "${UPSTREAM}"
[[registry.mirror]]
location = "${registry.host}/team"
insecure = true
[[registry]]
location = "${registry.host}"
insecure = true
`;

/** With images that are kept below the machine's home, and nowhere else. */
const command = (tool: keyof typeof tools, ...args: readonly string[]) => {
  const kept = (name: string) => join(machine.home, name);
  const folders = [`--root=${kept('images')}`, `--runroot=${kept('run')}`, '--storage-driver=vfs'];
  return [tools[tool], ...folders, ...args];
};
const pull = async (tool: keyof typeof tools, image: string) =>
  (await machine.succeed(command(tool, 'pull', '--quiet', image))).trim();

/** The image's ID is the digest of its configuration. */
const idOf = ({ blobs }: typeof APP) => blobs[0]?.digest.replace('sha256:', '');

/** What the tool says, which podman writes as a log line too. */
async function refused(tool: keyof typeof tools, image: string): Promise<string> {
  const { code, text } = await machine.run(command(tool, 'pull', image));
  expect(code).not.toBe(0);
  return text.replaceAll('\\"', '"');
}

beforeEach(async (context) => {
  const upstream = requireTool(context, 'docker-registry', 'apt-get install docker-registry');
  tools = {
    buildah: requireTool(context, 'buildah', 'apt-get install buildah'),
    podman: requireTool(context, 'podman', 'apt-get install podman'),
  };
  registry ??= await MirroredRegistry.start(upstream);
  await registry.upstream.join();
  await registry.configure({});
  await registry.upstream.push('acme/app', 'v1', APP);
  await registry.upstream.push('acme/other', 'v1', OTHER);
  machine = await containerMachine(mirrors());
});
afterEach(async () => {
  await machine?.remove();
});
afterAll(() => registry?.stop());

test.each(['buildah', 'podman'] as const)('%s pulls by tag and by digest', async (tool) => {
  expect(await pull(tool, `${registry.host}/team/acme/app:v1`)).toBe(idOf(APP));
  expect(await pull(tool, `${registry.host}/team/acme/other@${topOf(OTHER).digest}`)).toBe(idOf(OTHER));
});

test.each(['buildah', 'podman'] as const)('%s pulls from a mirror that registries.conf names', async (tool) => {
  expect(await pull(tool, `${UPSTREAM}/acme/app:v1`)).toBe(idOf(APP));
  expect(await pull(tool, `${UPSTREAM}/acme/other@${topOf(OTHER).digest}`)).toBe(idOf(OTHER));
});

test.each(['buildah', 'podman'] as const)('%s pulls the same while the upstream is away', async (tool) => {
  await pull(tool, `${registry.host}/team/acme/app:v1`);
  await registry.pulled();
  await registry.upstream.cut();
  await machine.remove();
  machine = await containerMachine(mirrors());
  expect(await pull(tool, `${UPSTREAM}/acme/app:v1`)).toBe(idOf(APP));
  expect((await registry.pulled()).caches).toEqual(new Set(['hit']));
});

test.each(['buildah', 'podman'] as const)('%s says why an image is refused', async (tool) => {
  const reason = await registry.block('acme/app');
  expect(await refused(tool, `${registry.host}/team/acme/app:v1`)).toContain(reason);
  expect(await refused(tool, `${UPSTREAM}/acme/app:v1`)).toContain(reason);
  expect(await pull(tool, `${registry.host}/team/acme/other:v1`)).toBe(idOf(OTHER));
});

test('a container of the image has its files', async () => {
  const from = await machine.succeed(command('buildah', 'from', '--quiet', `${registry.host}/team/acme/app:v1`));
  const root = (await machine.succeed(command('buildah', 'mount', from.trim()))).trim();
  expect(await readFile(join(root, 'usr/share/app/base'), 'utf8')).toMatch(/^(the base of app\n)+$/);
});
