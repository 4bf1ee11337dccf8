import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { hexOf, placeOf } from './digest.ts';
import { storeFailure } from './failure.ts';
import { removeFile, systemFiles } from './files.ts';
import type { S3Address } from './s3-address.ts';
import { S3Blob } from './s3-blob.ts';
import { S3Bucket } from './s3-bucket.ts';
import { sweepLeftovers } from './s3-leftovers.ts';
import type { Patience } from './s3-transport.ts';
import { copyObject, sendFile } from './s3-upload.ts';
import { type Blob, type Listed, STORED_LATELY, type Store, type Upload } from './store.ts';
import { Temporary } from './temporary.ts';

const KEY = /\/[0-9a-f]{2}\/[0-9a-f]{2}\/([0-9a-f]{64})$/;
const PAGE = 1000;
/** How long a blob is taken to be there without asking: another replica may remove it. */
const SIZE_KNOWN = 60_000;

export interface S3Options {
  readonly now?: () => number;
  readonly patience?: Patience;
  /** Of work that nobody waits for. */
  readonly onFailure?: (error: Error) => void;
}

/** Blobs in a bucket: `blobs/sha256/ab/cd/<hex>`; what is not complete is in the local folder `tmp`. */
export class S3Store implements Store {
  readonly #bucket: S3Bucket;
  readonly #temporary: Temporary;
  readonly #now: () => number;
  readonly #sizes = new LRUCache<string, number>({ max: 50_000, ttl: SIZE_KNOWN });
  #stop: () => void = () => {};

  /** Finds the bucket, and removes what dead processes left half written, here and there. Throws `StoreError`. */
  static async open(address: S3Address, data: string, options: S3Options = {}): Promise<S3Store> {
    const { now = Date.now, onFailure = () => {} } = options;
    const store = new S3Store(address, data, options);
    try {
      await store.#temporary.open(now());
      await store.#bucket.call((client, bucket) => client.listObjectsV2Query(bucket, store.#blobs, '', '', 1, ''));
      const sweeping = sweepLeftovers(store.#bucket, store.#blobs, { now, onFailure });
      store.#stop = sweeping.stop;
      await sweeping.first;
    } catch (error) {
      await store.close();
      throw storeFailure(error, data);
    }
    return store;
  }

  private constructor(address: S3Address, data: string, { now = Date.now, patience }: S3Options) {
    this.#bucket = new S3Bucket(address, patience);
    this.#temporary = new Temporary(data, systemFiles);
    this.#now = now;
  }

  begin(algorithms: readonly string[] = []): Promise<Upload> {
    return this.#temporary.begin(
      {
        keep: (temporary, digest, size) => this.#keep(temporary, digest, size),
        open: (digest) => this.open(digest),
      },
      algorithms,
    );
  }

  async open(digest: string): Promise<Blob | undefined> {
    const key = this.#keyOf(digest);
    const size = this.#sizes.get(digest) ?? (await this.stat(digest))?.size;
    if (size === undefined) return undefined;
    return new S3Blob(this.#bucket, key, { digest, size }, () => this.#sizes.delete(digest));
  }

  async stat(digest: string): Promise<{ readonly size: number } | undefined> {
    const found = await this.#bucket.find(this.#keyOf(digest));
    if (found) this.#sizes.set(digest, found.size);
    else this.#sizes.delete(digest);
    return found && { size: found.size };
  }

  /** S3 itself does not say whether there was something to remove. */
  async delete(digest: string): Promise<boolean> {
    const key = this.#keyOf(digest);
    const found = await this.#bucket.find(key);
    this.#sizes.delete(digest);
    if (found) await this.#bucket.remove(key);
    this.#sizes.delete(digest);
    return found !== undefined;
  }

  async quarantine(digest: string): Promise<boolean> {
    const key = this.#keyOf(digest);
    const found = await this.#bucket.find(key);
    if (found) await copyObject(this.#bucket, key, `${this.#prefix}quarantine/${hexOf(digest)}`, found.size);
    return this.delete(digest);
  }

  async *list(from?: string): AsyncIterable<Listed> {
    let after = from === undefined ? '' : this.#keyOf(from);
    for (let more = true; more; ) {
      const page = await this.#bucket.call((client, bucket) =>
        client.listObjectsV2Query(bucket, this.#blobs, '', '', PAGE, after),
      );
      for (const { name = '', size = 0, lastModified } of page.objects) {
        after = name;
        const hex = KEY.exec(name)?.[1];
        if (hex !== undefined) yield { digest: `sha256:${hex}`, size, modified: lastModified?.getTime() ?? 0 };
      }
      more = page.isTruncated && page.objects.length > 0;
    }
  }

  /** Writes, reads and removes a small object, and a small file: on a full disk an empty one would still be made. */
  async check(): Promise<void> {
    const upload = await this.#temporary.begin(NOWHERE, []);
    await upload.write(Buffer.from('check'));
    await upload.abort();
    const key = `${this.#prefix}check/${randomUUID()}`;
    await this.#bucket.call((client, bucket) => client.putObject(bucket, key, Buffer.from('check')));
    await this.#bucket.find(key);
    await this.#bucket.remove(key);
  }

  async close(): Promise<void> {
    this.#stop();
    this.#bucket.close();
  }

  get #prefix(): string {
    return this.#bucket.address.prefix;
  }

  get #blobs(): string {
    return `${this.#prefix}blobs/sha256/`;
  }

  /** An object of another size under the digest is damaged, and replaced. */
  async #keep(temporary: string, digest: string, size: number): Promise<void> {
    const key = this.#keyOf(digest);
    const file = { path: temporary, size, hash: hexOf(digest) };
    if (!(await this.#present(key, size))) await sendFile(this.#bucket, key, file);
    this.#sizes.set(digest, size);
    await removeFile(systemFiles, temporary);
  }

  /** What was stored long ago is made young; where the server cannot, it is sent again. */
  async #present(key: string, size: number): Promise<boolean> {
    const found = await this.#bucket.find(key);
    if (found?.size !== size) return false;
    if (this.#now() - found.modified <= STORED_LATELY) return true;
    return this.#bucket.copy(key, key).then(
      () => true,
      () => false,
    );
  }

  #keyOf(digest: string): string {
    return `${this.#blobs}${placeOf(digest)}`;
  }
}

/** Of an upload that is never committed. */
const NOWHERE = {
  keep: () => Promise.reject(new Error('it is not kept')),
  open: () => Promise.resolve(undefined),
};
