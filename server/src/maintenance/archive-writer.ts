import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { pipeline, Readable, type Writable } from 'node:stream';
import { constants, createZstdCompress } from 'node:zlib';
import { pack } from 'tar-stream';

/** One entry after the other into a compressed tar. */
export class ArchiveWriter {
  /** What it becomes. It must be read for entries to be written. */
  readonly output: Readable;
  readonly #pack = pack();
  readonly #modified: Date;
  /** Rejects when nobody reads any more. */
  readonly #closed: Promise<never>;

  /** `at`: the time that all entries have. */
  constructor(at: Date) {
    this.#modified = at;
    const compress = createZstdCompress({
      params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 },
    });
    this.output = pipeline(Readable.from(this.#pack as AsyncIterable<Uint8Array>), compress, ignore);
    this.#closed = once(this.output, 'close').then(() => {
      throw new Error('nobody takes the backup any more');
    });
    this.#closed.catch(ignore);
    this.#pack.on('error', ignore);
  }

  text(name: string, content: string): Promise<void> {
    const bytes = Buffer.from(content);
    return this.stream(name, bytes.length, () => [bytes]);
  }

  file(name: string, path: string, size: number): Promise<void> {
    return this.stream(name, size, () => createReadStream(path));
  }

  /** Exactly `size` bytes; rejects when there are more or less, and when nobody reads on. */
  async stream(
    name: string,
    size: number,
    chunks: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<void> {
    const entry = this.#pack.entry({ name, size, mode: 0o600, mtime: this.#modified }) as unknown as Writable;
    // Told by `#closed`; an event that nobody hears would end the process.
    entry.on('error', ignore);
    let written = 0;
    for await (const chunk of chunks()) {
      written += chunk.length;
      if (written > size) break;
      // A chunk's memory may be used again once the next one is asked for.
      if (!entry.write(Buffer.from(chunk))) await Promise.race([once(entry, 'drain'), this.#closed]);
      if (this.output.destroyed) await this.#closed;
    }
    if (written !== size) throw new Error(`${name} has ${written} bytes or more, not ${size}`);
    const finished = once(entry, 'finish');
    entry.end();
    await Promise.race([finished, this.#closed]);
  }

  end(): void {
    this.#pack.finalize();
  }

  destroy(error: Error): void {
    this.output.destroy(error);
    this.#pack.destroy(error);
  }
}

function ignore(): void {}
