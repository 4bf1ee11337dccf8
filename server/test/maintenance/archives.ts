import { readFile, writeFile } from 'node:fs/promises';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { extract, pack } from 'tar-stream';

export interface ArchiveEntry {
  readonly name: string;
  readonly type?: 'file' | 'symlink' | 'directory';
  readonly linkname?: string;
  readonly content?: string | Buffer;
}

/** Writes a backup by hand, as somebody who means harm would. */
export async function writeArchive(file: string, entries: readonly ArchiveEntry[]): Promise<void> {
  const tar = pack();
  for (const { content = '', ...header } of entries) tar.entry(header, Buffer.from(content));
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar as AsyncIterable<Buffer>) chunks.push(chunk);
  await writeFile(file, zstdCompressSync(Buffer.concat(chunks)));
}

export async function entriesIn(file: string): Promise<Required<Pick<ArchiveEntry, 'name' | 'content'>>[]> {
  const tar = extract();
  tar.end(zstdDecompressSync(await readFile(file)));
  const entries: { name: string; content: Buffer }[] = [];
  for await (const entry of tar) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry as AsyncIterable<Buffer>) chunks.push(chunk);
    entries.push({ name: entry.header.name, content: Buffer.concat(chunks) });
  }
  return entries;
}

export async function configurationIn(file: string): Promise<string> {
  return String((await entriesIn(file)).find(({ name }) => name === 'configuration.json')?.content);
}
