import { buffer } from 'node:stream/consumers';
import type { Client } from 'minio';
import type { BlobsBehind } from './installation.ts';

const PREFIX = 'blobs/sha256/';

/** A bucket of blobs: `blobs/sha256/ab/cd/<hex>`. */
export class BlobsInBucket implements BlobsBehind {
  readonly #client: Client;
  readonly #bucket: string;

  constructor(client: Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  async *list(): AsyncIterable<{ readonly sha256: string; readonly size: number }> {
    for await (const object of this.#client.listObjectsV2(this.#bucket, PREFIX, true)) {
      const { name, size } = object as { readonly name?: string; readonly size?: number };
      const sha256 = name?.split('/').at(-1);
      if (sha256 !== undefined && size !== undefined) yield { sha256, size };
    }
  }

  async read(sha256: string): Promise<Buffer | undefined> {
    try {
      return await buffer(await this.#client.getObject(this.#bucket, keyOf(sha256)));
    } catch {
      return undefined;
    }
  }

  async write(sha256: string, bytes: Buffer): Promise<void> {
    await this.#client.putObject(this.#bucket, keyOf(sha256), bytes);
  }

  remove(sha256: string): Promise<void> {
    return this.#client.removeObject(this.#bucket, keyOf(sha256));
  }

  /** S3 says itself when an object was stored. */
  async plant(): Promise<boolean> {
    return false;
  }
}

function keyOf(sha256: string): string {
  return `${PREFIX}${sha256.slice(0, 2)}/${sha256.slice(2, 4)}/${sha256}`;
}
