import type { Store, Upload } from '../../store/store.ts';
import type { BodyShape, Sent, SentFile } from '../format.ts';
import { entryOfZip } from '../remote/zip-entry.ts';
import { storing } from '../stored.ts';
import { formFiles } from './form-files.ts';
import { JsonFiles } from './json-files.ts';

/** A request's body on its way in. */
export interface Incoming {
  /** Bytes, where the request says so. */
  readonly size: number | undefined;
  /** Content type as sent. */
  readonly type: string | undefined;
  /** Digests that the request announces of its body, `sha256:…`. */
  readonly digests?: readonly string[];
  /** Nothing is asked of the client before the first chunk is. Throws `Fault` when it breaks off. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

export interface ReceptionDeps {
  readonly store: Store;
  /** Throws `Fault` when a file of so many bytes is too large. */
  readonly requireFits: (name: string, size: number) => void;
}

/** A body that was taken apart: what it said, and its files, which wait in the store to be committed. */
export class Reception {
  readonly #deps: ReceptionDeps;
  readonly #uploads = new Map<SentFile, Upload>();
  readonly #begun: Upload[] = [];
  #isOver = false;

  constructor(deps: ReceptionDeps) {
    this.#deps = deps;
  }

  uploadOf(file: SentFile): Upload {
    const upload = this.#uploads.get(file);
    if (!upload) throw new Error(`${file.fileName} was not in the body`);
    return upload;
  }

  /** What was not committed is gone. */
  async end(): Promise<void> {
    this.#isOver = true;
    for (const upload of this.#begun) await upload.abort();
  }

  /** Throws `Malformed` for a body that is not of that shape, `Fault`. */
  async take(shape: BodyShape, incoming: Incoming): Promise<Sent> {
    switch (shape.shape) {
      case 'none':
        return { fields: new Map(), files: [] };
      case 'json':
        return this.#json(shape, incoming);
      case 'form':
        return this.#form(shape, incoming);
    }
  }

  async #json(
    { limit, isFile = () => false, hashes = [] }: Extract<BodyShape, { shape: 'json' }>,
    { chunks }: Incoming,
  ): Promise<Sent> {
    const document = new JsonFiles(isFile, limit);
    const begun: { readonly part: string; readonly upload: Upload }[] = [];
    for await (const chunk of chunks) {
      for (const { part, bytes, begins } of document.take(chunk)) {
        if (begins) begun.push({ part, upload: await this.#begin(hashes) });
        const last = begun.at(-1);
        if (last && bytes.length > 0) await this.#write(last.upload, part, bytes);
      }
    }
    const json = document.finish();
    const files: SentFile[] = [];
    for (const { part, upload } of begun) files.push(await this.#finished(upload, { part, fileName: part }));
    return { json, fields: new Map(), files };
  }

  async #form(
    { limit, hashes = [], entryOf }: Extract<BodyShape, { shape: 'form' }>,
    { type, chunks }: Incoming,
  ): Promise<Sent> {
    const files: SentFile[] = [];
    const fields = await formFiles(type, chunks, limit, async ({ part, fileName, chunks: bytes }) => {
      const upload = await this.#begin(hashes);
      for await (const chunk of bytes) await this.#write(upload, fileName, chunk);
      const pattern = entryOf?.(fileName);
      const entry = pattern && (await zipEntry(upload, pattern));
      files.push(await this.#finished(upload, { part, fileName, ...(entry ? { entry } : {}) }));
    });
    return { fields, files };
  }

  async #begin(hashes: readonly string[]): Promise<Upload> {
    const upload = await storing(this.#deps.store.begin(hashes));
    this.#begun.push(upload);
    // Another file of the same body may have failed meanwhile.
    if (this.#isOver) await upload.abort();
    return upload;
  }

  async #write(upload: Upload, name: string, bytes: Uint8Array): Promise<void> {
    this.#deps.requireFits(name, upload.written + bytes.length);
    await storing(upload.write(bytes));
  }

  async #finished(upload: Upload, named: Pick<SentFile, 'part' | 'fileName' | 'entry'>): Promise<SentFile> {
    const file = { ...named, size: upload.written, hashes: await storing(upload.hashes()) };
    this.#uploads.set(file, upload);
    return file;
  }
}

async function zipEntry(upload: Upload, pattern: RegExp): Promise<Uint8Array | undefined> {
  await storing(upload.hashes());
  const body = upload.inspect();
  try {
    return await storing(entryOfZip(body, pattern));
  } finally {
    body.release();
  }
}
