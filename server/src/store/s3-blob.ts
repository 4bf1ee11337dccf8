import type { IncomingMessage } from 'node:http';
import { placeOf } from './digest.ts';
import type { S3Bucket } from './s3-bucket.ts';
import { isMissing, isPassing } from './s3-failure.ts';
import { type Blob, type ServedAs, StoreError } from './store.ts';

/** So often a transfer that was cut goes on where it ended. */
const RESUMED = 2;

/** A blob at rest. Its bytes never change, so a transfer may go on with another request. */
export class S3Blob implements Blob {
  readonly digest: string;
  readonly size: number;
  readonly #bucket: S3Bucket;
  readonly #key: string;
  readonly #gone: () => void;

  /** `gone`: told when it turns out that the blob is not there any more. */
  constructor(bucket: S3Bucket, key: string, { digest, size }: Pick<Blob, 'digest' | 'size'>, gone: () => void) {
    this.digest = digest;
    this.size = size;
    this.#bucket = bucket;
    this.#key = key;
    this.#gone = gone;
  }

  async *stream(start = 0, end = this.size): AsyncGenerator<Uint8Array, void, undefined> {
    const last = Math.min(end, this.size);
    let position = start;
    for (let tries = 0; position < last; tries += 1) {
      const response = await this.#get(position, last - position);
      try {
        for await (const chunk of response as AsyncIterable<Buffer>) {
          if (position + chunk.length > last) throw this.#wrongLength(`more than ${last} bytes came`);
          position += chunk.length;
          yield chunk;
        }
        if (position < last) throw this.#wrongLength(`it ended at ${position}`);
      } catch (error) {
        if (tries === RESUMED || error instanceof StoreError || !isPassing(error)) throw this.#bucket.failure(error);
      } finally {
        response.destroy();
      }
    }
  }

  async bytes(): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.stream()) chunks.push(chunk);
    return Buffer.concat(chunks, this.size);
  }

  redirect(seconds: number, { type, disposition }: ServedAs): Promise<string> {
    const as = {
      'response-content-type': type,
      ...(disposition === undefined ? {} : { 'response-content-disposition': disposition }),
    };
    return this.#bucket.call((client, bucket) => client.presignedGetObject(bucket, this.#key, seconds, as));
  }

  release(): void {}

  async #get(start: number, length: number): Promise<IncomingMessage> {
    try {
      const whole = start === 0 && length === this.size;
      return (await this.#bucket.call((client, bucket) =>
        whole ? client.getObject(bucket, this.#key) : client.getPartialObject(bucket, this.#key, start, length),
      )) as IncomingMessage;
    } catch (error) {
      if (!(error instanceof StoreError) || !isMissing(error.cause)) throw error;
      this.#gone();
      throw new StoreError('unreachable', `${this.digest} was removed before it was read`, { cause: error });
    }
  }

  #wrongLength(what: string): StoreError {
    const { bucket, endpoint } = this.#bucket.address;
    return new StoreError(
      'corrupt',
      `${placeOf(this.digest)} in the bucket ${bucket} at ${endpoint} is not whole: ${what}, expected ${this.size} bytes`,
    );
  }
}
