import { type ArchiveProgress, type ArchiveRead, readArchive } from './archive-reader.ts';

/** Reads all of it and keeps nothing. Throws `BackupError`. */
export function verifyBackup(file: string, progress?: (progress: ArchiveProgress) => void): Promise<ArchiveRead> {
  const read = async (_: unknown, chunks: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const _chunk of chunks);
  };
  const sink = {
    manifest: async () => {},
    part: read,
    blob: (digest: string, _: number, chunks: AsyncIterable<Uint8Array>) => read(digest, chunks),
  };
  return readArchive(file, sink, progress);
}
