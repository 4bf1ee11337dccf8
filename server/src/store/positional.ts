import type { FileHandle } from 'node:fs/promises';
import { storeFailure } from './failure.ts';
import { StoreError } from './store.ts';

/** Bytes of one read. */
export const CHUNK = 1024 * 1024;

/**
 * `[start, end)` of an open file; the next read is under way while a chunk is consumed. Three buffers take turns: the
 * chunk in hand, the one before it (still being written, for a consumer that looks one ahead) and the one being read.
 */
export async function* readChunks(
  handle: FileHandle,
  path: string,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const buffers: Buffer[] = [];
  const read = async (turn: number, position: number): Promise<Buffer> => {
    const length = Math.min(CHUNK, end - position);
    const buffer = buffers[turn % 3] ?? Buffer.allocUnsafeSlow(length);
    buffers[turn % 3] = buffer;
    const filled = await fill(handle, path, buffer.subarray(0, length), position);
    if (filled < length) throw new StoreError('corrupt', `${path} ends at ${position + filled}, expected ${end} bytes`);
    return buffer.subarray(0, length);
  };
  let turn = 0;
  let position = start;
  let ahead = position < end ? read(turn, position) : undefined;
  while (ahead) {
    const chunk = await ahead;
    position += chunk.length;
    turn += 1;
    ahead = position < end ? read(turn, position) : undefined;
    // The consumer may be gone before this read is asked for: its failure then interests nobody.
    ahead?.catch(() => {});
    yield chunk;
  }
}

/** Reads until the buffer is full or the file ends; the number of bytes read. */
export async function fill(handle: FileHandle, path: string, buffer: Uint8Array, position: number): Promise<number> {
  let filled = 0;
  try {
    while (filled < buffer.length) {
      const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
  } catch (error) {
    throw storeFailure(error, path);
  }
  return filled;
}
