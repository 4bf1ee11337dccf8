import pg from 'pg';
import { ledgerFailure } from './failure.ts';
import { LedgerError } from './ledger.ts';

/** That this process uses a database, known to whoever would use it too. */
export interface Presence {
  /** Throws a sentence when another process took the database over while this one could not reach it. */
  check(): Promise<void>;
  release(): Promise<void>;
}

export interface PresenceSettings {
  readonly url: string;
  /** Others may be there too, if they say so as well. */
  readonly shared: boolean;
  readonly onFailure: (error: Error) => void;
}

const LOCK = 7_163_401_922;
/** A process that was killed a moment ago may still be counted; milliseconds. */
const START = 5000;
const AGAIN = 1000;
const CONNECT = 3000;
const TAKEN = {
  false: 'set redis_url (ENTREPOT_REDIS_URL), the same for every process on this database, or stop the other one',
  true: 'the other one runs without redis_url (ENTREPOT_REDIS_URL): set it there too, or stop that one',
} as const;

/**
 * A lock that lasts as long as a connection: several processes use one database only when all of them coordinate. Taken again in
 * the background when the connection is lost. Throws `LedgerError` when another process is there. Needs a connection of its own, not
 * one that a pooler shares between transactions.
 */
export async function holdDatabase(settings: PresenceSettings): Promise<Presence> {
  const presence = new PostgresPresence(settings);
  await presence.open();
  return presence;
}

class PostgresPresence implements Presence {
  readonly #settings: PresenceSettings;
  #client: pg.Client | undefined;
  #overtaken: LedgerError | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(settings: PresenceSettings) {
    this.#settings = settings;
  }

  async open(): Promise<void> {
    const until = performance.now() + START;
    while (!(await this.#take())) {
      if (performance.now() > until) throw this.#taken();
      await new Promise((resolve) => setTimeout(resolve, AGAIN / 4));
    }
  }

  async check(): Promise<void> {
    if (this.#overtaken) throw this.#overtaken;
  }

  async release(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    // A server that stands still is not waited for.
    const late = new Promise((resolve) => setTimeout(resolve, AGAIN).unref());
    await Promise.race([this.#client?.end().catch(() => {}), late]);
  }

  async #take(): Promise<boolean> {
    const { url, shared } = this.#settings;
    const client = new pg.Client({
      connectionString: url,
      application_name: 'entrepot presence',
      connectionTimeoutMillis: CONNECT,
      query_timeout: CONNECT,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    });
    client.on('error', () => {});
    try {
      await client.connect();
      const lock = shared ? 'pg_try_advisory_lock_shared' : 'pg_try_advisory_lock';
      const { rows } = await client.query<{ taken: boolean }>(`SELECT ${lock}($1) AS taken`, [LOCK]);
      if (rows[0]?.taken !== true || this.#closed) {
        void client.end().catch(() => {});
        return false;
      }
    } catch (error) {
      void client.end().catch(() => {});
      throw ledgerFailure(error, { name: nameOf(url), kind: 'postgres' });
    }
    this.#client = client;
    client.once('end', () => this.#lost());
    return true;
  }

  #lost(): void {
    this.#client = undefined;
    if (!this.#closed) this.#timer = setTimeout(() => void this.#again(), AGAIN).unref();
  }

  async #again(): Promise<void> {
    const taken = await this.#take().catch(() => undefined);
    if (taken === false && !this.#overtaken) {
      this.#overtaken = this.#taken();
      this.#settings.onFailure(this.#overtaken);
    }
    if (taken) this.#overtaken = undefined;
    else this.#lost();
  }

  #taken(): LedgerError {
    const { url, shared } = this.#settings;
    return new LedgerError(`database ${nameOf(url)} is in use by another Entrepot: ${TAKEN[`${shared}`]}`);
  }
}

function nameOf(url: string): string {
  const { protocol, username, host, pathname } = new URL(url);
  return `${protocol}//${username ? `${username}@` : ''}${host}${pathname}`;
}
