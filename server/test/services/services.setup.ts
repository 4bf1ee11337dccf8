import type { TestProject } from 'vitest/node';
import { postgresMissing, startPostgres } from '../support/postgres.ts';
import { radosgwMissing, startRadosgw } from '../support/radosgw.ts';
import { RedisServer, redisMissing } from '../support/redis.ts';

let running: AsyncDisposableStack | undefined;

/** Starts what the suites of the project keep things in, once for all of them. Throws a line per program that is missing. */
export async function setup(project: TestProject): Promise<void> {
  const missing = [postgresMissing(), radosgwMissing(), redisMissing()].filter((one) => one !== undefined);
  if (missing.length > 0) throw new Error(`these suites need services:\n${missing.join('\n')}`);
  await using started = new AsyncDisposableStack();
  const postgres = await startPostgres();
  started.defer(() => postgres.stop());
  const s3 = await startRadosgw();
  started.defer(() => s3.stop());
  const redis = await RedisServer.start();
  started.defer(() => redis.stop());
  const database = await postgres.database();
  project.provide('services', {
    postgres: database.slice(0, database.lastIndexOf('/')),
    s3: s3.url(await s3.bucket()),
    redis: redis.url,
  });
  running = started.move();
}

export async function teardown(): Promise<void> {
  await running?.disposeAsync();
}
