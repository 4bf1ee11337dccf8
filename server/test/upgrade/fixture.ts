import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';
import { extract, pack } from 'tar-stream';

/** What a data folder of an earlier program must still have, whatever program it is started with. */
export interface Manifest {
  /** Name of the fixture. */
  readonly state: string;
  /** The migrations that its database has been through. */
  readonly migrations: readonly string[];
  readonly resources: readonly { readonly kind: string; readonly name: string; readonly spec: unknown }[];
  /** What was answered, below the server's address. */
  readonly served: readonly Served[];
  /** The client of each pull, all of them different. */
  readonly clients: readonly string[];
}

export interface Served {
  readonly path: string;
  readonly accept?: string;
  /** Lower-case hex, of the body; documents are written anew by every program and have none. */
  readonly sha256?: string;
}

export const FIXTURES = fileURLToPath(new URL('./fixtures/', import.meta.url));

/** Everyone may know it. */
export const ADMIN_TOKEN = 'the-admin-token-of-a-fixture';

/** Made anew by every program, and large. */
const LEFT_OUT = /^(cache|tmp)(\/|$)|-shm$/;

/** The database's log has the same pages many times, far apart. */
const TIGHT = { params: { [constants.ZSTD_c_compressionLevel]: 19, [constants.ZSTD_c_windowLog]: 24 } };

export const archiveOf = (state: string): string => join(FIXTURES, `${state}.tar.zst`);
export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export async function manifestOf(state: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(FIXTURES, `${state}.json`), 'utf8'));
}

/** Resolves to the size of the archive in bytes. */
export async function keep(data: string, manifest: Manifest): Promise<number> {
  await mkdir(FIXTURES, { recursive: true });
  const archive = pack();
  const written = pipeline(archive, createZstdCompress(TIGHT), createWriteStream(archiveOf(manifest.state)));
  for (const path of await filesIn(data)) {
    const { mtime } = await stat(path);
    archive.entry({ name: relative(data, path), mode: 0o600, mtime }, await readFile(path));
  }
  archive.finalize();
  await written;
  await writeFile(join(FIXTURES, `${manifest.state}.json`), `${JSON.stringify(manifest, undefined, 2)}\n`);
  return (await stat(archiveOf(manifest.state))).size;
}

/** Puts the data folder of that state into the folder, which is made. */
export async function unpack(state: string, data: string): Promise<void> {
  await mkdir(data, { recursive: true });
  const archive = createReadStream(archiveOf(state)).pipe(createZstdDecompress()).pipe(extract());
  for await (const entry of archive) {
    const { name, mtime, mode = 0o600 } = entry.header;
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry) chunks.push(chunk as Uint8Array);
    const path = join(data, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, Buffer.concat(chunks), { mode });
    if (mtime) await utimes(path, mtime, mtime);
  }
}

async function filesIn(data: string): Promise<string[]> {
  const entries = await readdir(data, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return files.filter((path) => !LEFT_OUT.test(relative(data, path))).sort();
}
