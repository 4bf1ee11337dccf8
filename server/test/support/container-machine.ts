import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FreshMachine } from './clients.ts';

/** A machine whose container tools trust any signature and keep everything in its own folders. */
export async function containerMachine(registries = ''): Promise<FreshMachine> {
  const machine = await FreshMachine.create();
  const folder = join(machine.home, '.config/containers');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'policy.json'), JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }));
  await writeFile(join(folder, 'registries.conf'), registries);
  return machine;
}

/** Digests of everything in an OCI image layout, sorted. */
export async function layoutDigests(folder: string): Promise<string[]> {
  return (await readdir(join(folder, 'blobs/sha256'))).map((hex) => `sha256:${hex}`).sort();
}

/** Digest of what the layout's only tag names. */
export async function layoutTop(folder: string): Promise<string> {
  const { manifests } = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8'));
  return manifests[0].digest;
}
