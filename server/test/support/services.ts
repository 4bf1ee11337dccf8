import { createHash } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';

/** What `services.setup.ts` started for all suites of the project that runs over them. */
export interface Services {
  /** A PostgreSQL server, without the database. */
  readonly postgres: string;
  /** A bucket. */
  readonly s3: string;
  readonly redis: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    services: Services | undefined;
  }
}

/** Of one installation, by the names of the settings. */
export interface Home {
  readonly database_url: string;
  readonly storage_url: string;
  readonly redis_url: string;
  readonly secret_key: string;
}

const homes = new Map<string, Promise<Home>>();

/**
 * Where the server of a data folder keeps what it keeps, the same for the next server of that folder; undefined where this
 * project's suites keep it in the folder itself.
 */
export async function homeOf(data: string): Promise<Home | undefined> {
  const services = inject('services');
  if (!services) return undefined;
  const known = homes.get(data) ?? made(data, services);
  homes.set(data, known);
  return known;
}

async function made(data: string, { postgres, s3, redis }: Services): Promise<Home> {
  const name = `t${createHash('sha256').update(`${process.pid} ${data}`).digest('hex').slice(0, 20)}`;
  const client = new pg.Client({ connectionString: `${postgres}/postgres` });
  await client.connect();
  try {
    await client.query(`CREATE DATABASE ${name}`);
  } finally {
    await client.end();
  }
  const bucket = new URL(s3);
  bucket.pathname = `/${name}`;
  return {
    database_url: `${postgres}/${name}`,
    storage_url: bucket.href,
    redis_url: redis,
    secret_key: `secret-key-of-the-installation-${name}`,
  };
}
