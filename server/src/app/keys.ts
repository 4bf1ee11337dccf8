import { randomBytes } from 'node:crypto';
import { type AdminToken, adminToken, sharedAdminToken } from '../access/admin-token.ts';
import { Sealer, Unsealable } from '../access/sealed.ts';
import { keptSecretKey, madeSecretKey } from '../access/secret-key.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Settings } from './settings.ts';

export interface Keys {
  readonly adminToken: AdminToken;
  /** What short-lived tokens are made with. */
  readonly tokenKey: string;
  readonly sealer: Sealer;
}

type Facts = Pick<Ledger, 'fact' | 'setFact' | 'claimFact'>;
type KeySettings = Pick<Settings, 'data' | 'adminToken' | 'secretKey' | 'secretKeyPrevious' | 'database'>;

const TOKEN_KEY = 'sealed.token-key';
const ADMIN_TOKEN = 'sealed.admin-token';

/**
 * What every process on a database has the same: made by the one that starts first, kept in the ledger under the secret key.
 * With SQLite there is one process, and its admin token stays in the data folder. Throws one line for a secret key that is
 * not the database's.
 */
export async function openKeys(settings: KeySettings, ledger: Facts): Promise<Keys> {
  const { data, database } = settings;
  const sealer = await sealerOf(settings);
  const shared = { ledger, sealer };
  const tokenKey = await agreed(shared, TOKEN_KEY, async () => randomBytes(32).toString('base64url'));
  const isShared = database.kind === 'postgres' && settings.adminToken === undefined;
  const token = isShared
    ? await sharedAdminToken(data, (local) => agreed(shared, ADMIN_TOKEN, local))
    : await adminToken(data, settings.adminToken);
  return { adminToken: token, tokenKey, sealer };
}

/** The key in the data folder opens what it sealed before another one was set. */
async function sealerOf({ data, database, secretKey, secretKeyPrevious }: KeySettings): Promise<Sealer> {
  const kept = await keptSecretKey(data);
  const current = secretKey ?? (database.kind === 'sqlite' ? await madeSecretKey(data) : undefined);
  if (current === undefined) throw new Error('PostgreSQL needs secret_key (ENTREPOT_SECRET_KEY)');
  return new Sealer(current, ...[secretKeyPrevious, kept].filter((key) => key !== undefined));
}

interface Shared {
  readonly ledger: Facts;
  readonly sealer: Sealer;
}

/** The secret of that name: what is in the ledger, else what `make` makes, unless another process was first. */
async function agreed({ ledger, sealer }: Shared, name: string, make: () => Promise<string>): Promise<string> {
  const sealed = (await ledger.fact(name)) ?? (await ledger.claimFact(name, sealer.seal(await make(), name)));
  const value = opened(sealer, sealed, name);
  if (!sealer.isCurrent(sealed)) await ledger.setFact(name, sealer.seal(value, name));
  return value;
}

function opened(sealer: Sealer, sealed: string, name: string): string {
  try {
    return sealer.open(sealed, name);
  } catch (error) {
    if (!(error instanceof Unsealable)) throw error;
    throw new Error(
      'secret_key (ENTREPOT_SECRET_KEY) is not the one that the secrets in the database were sealed with: set that one, or name it in secret_key_previous (ENTREPOT_SECRET_KEY_PREVIOUS) beside the new one',
    );
  }
}
