import http from 'node:http';
import https from 'node:https';
import { ExponentialBackoff, handleWhen, retry } from 'cockatiel';
import { Client, CopyDestinationOptions, CopySourceOptions } from 'minio';
import type { S3Address } from './s3-address.ts';
import { isMissing, isPassing, s3Failure } from './s3-failure.ts';
import { PATIENCE, type Patience, s3Transport } from './s3-transport.ts';
import type { StoreError } from './store.ts';

export interface Found {
  readonly size: number;
  /** Epoch milliseconds. */
  readonly modified: number;
}

/** What one call of the client asks: it is made anew for every attempt. */
export type Call<Result> = (client: Client, bucket: string) => Promise<Result>;

const MORE_ATTEMPTS = 2;
const again = retry(handleWhen(isPassing), {
  maxAttempts: MORE_ATTEMPTS,
  backoff: new ExponentialBackoff({ initialDelay: 100, maxDelay: 1000 }),
});

/** One bucket: every call is tried again when that may help, and fails as `StoreError`. Calls must be harmless when repeated. */
export class S3Bucket {
  readonly address: S3Address;
  readonly client: Client;
  readonly #agent: http.Agent;

  constructor(address: S3Address, patience: Patience = PATIENCE) {
    this.address = address;
    const { endpoint, region, pathStyle, accessKey, secretKey, sessionToken } = address;
    const { protocol, hostname, port } = new URL(endpoint);
    const useSSL = protocol === 'https:';
    this.#agent = new (useSSL ? https : http).Agent({ keepAlive: true, maxFreeSockets: 64 });
    this.client = new Client({
      endPoint: hostname,
      ...(port === '' ? {} : { port: Number(port) }),
      useSSL,
      region,
      pathStyle,
      accessKey,
      secretKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
      transport: s3Transport(useSSL, patience),
      transportAgent: this.#agent,
      retryOptions: { disableRetry: true },
    });
  }

  async call<Result>(work: Call<Result>): Promise<Result> {
    try {
      return await again.execute(() => work(this.client, this.address.bucket));
    } catch (error) {
      throw this.failure(error);
    }
  }

  /** Undefined when there is no such object. */
  find(key: string): Promise<Found | undefined> {
    return this.call(async (client, bucket) => {
      try {
        const { size, lastModified } = await client.statObject(bucket, key);
        return { size, modified: lastModified.getTime() };
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    });
  }

  /** Of up to 5 GB, within the bucket; onto itself, it becomes young. */
  copy(from: string, to: string): Promise<void> {
    return this.call(async (client, bucket) => {
      const source = new CopySourceOptions({ Bucket: bucket, Object: from });
      await client.copyObject(
        source,
        new CopyDestinationOptions({ Bucket: bucket, Object: to, MetadataDirective: 'REPLACE' }),
      );
    });
  }

  remove(key: string): Promise<void> {
    return this.call((client, bucket) => client.removeObject(bucket, key));
  }

  failure(error: unknown): StoreError {
    return s3Failure(error, this.address);
  }

  close(): void {
    this.#agent.destroy();
  }
}
