import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { unknownName } from '../contract/index.ts';
import type { S3Address } from '../store/s3-address.ts';
import type { Given } from './settings-file.ts';
import { type DatabaseAt, isLoopback, type Listen } from './settings-parse.ts';
import { flagOf, type GivenSettings, gather, type SettingsSources } from './settings-sources.ts';
import { SETTINGS, type Setting, TABLE } from './settings-table.ts';
import { type StorageAt, withKeysOf } from './storage-url.ts';

export type { SettingsSources } from './settings-sources.ts';

/** The installation's own settings, parsed; `docs/reference/settings.md` describes each. Paths are absolute. */
export interface Settings {
  readonly listen: Listen;
  /** Public address without a trailing slash; undefined: from the request (on loopback, or for one of `hosts`). */
  readonly baseUrl: string | undefined;
  /** Values of Host that are believed, lower case, with their port where given; empty: none beyond loopback and `baseUrl`. */
  readonly hosts: readonly string[];
  /** Addresses or CIDR blocks whose forwarded headers are believed. */
  readonly trustedProxies: readonly string[];
  readonly data: string;
  readonly database:
    | { readonly kind: 'sqlite'; readonly path: string }
    | { readonly kind: 'postgres'; readonly url: string };
  readonly storage:
    | { readonly kind: 'file'; readonly path: string }
    | { readonly kind: 's3'; readonly address: S3Address; readonly redirect: boolean };
  /** Bytes of all blobs; undefined: any. */
  readonly storageMaxSize: number | undefined;
  /** Milliseconds for reading every blob again; 0: never. */
  readonly scrubEvery: number;
  /** Undefined: this process is the only one. */
  readonly redisUrl: string | undefined;
  /** A folder that other processes may have too; undefined: in the data folder, of this process alone. */
  readonly journal: string | undefined;
  /** Undefined: made at first start. */
  readonly adminToken: string | undefined;
  /** Undefined: made at first start. */
  readonly secretKey: string | undefined;
  /** What `secretKey` was before: opens what it sealed. */
  readonly secretKeyPrevious: string | undefined;
  readonly defaults: boolean;
  readonly anonymous: 'read' | 'none';
  readonly workers: number;
  readonly log: { readonly level: LogLevel; readonly format: 'text' | 'json'; readonly access: boolean };
  /** Where traces go, without a path; undefined: nowhere. */
  readonly telemetry: { readonly endpoint: string; readonly sample: number } | undefined;
  /** Paths of PEM files. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** Whom to ask about a refusal. */
  readonly refusalHelp: string | undefined;
  readonly audit: { readonly durability: 'journal' | 'strict' };
  /** Bytes of memory for answers kept ready. */
  readonly memory: { readonly hot: number };
  /** The file that was read. */
  readonly file: string | undefined;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** One effective setting and where it came from; secrets are masked. */
export interface ExplainedSetting {
  readonly key: string;
  readonly value: string;
  /** `default`, `flag --listen`, `environment ENTREPOT_LISTEN`, `/etc/entrepot.yaml:3: listen` */
  readonly origin: string;
}

/** Everything that is wrong with the settings, one sentence a line, each naming file, line and key, variable or flag. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';

  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
  }
}

/** Config file < environment < flags. Throws `SettingsError`. */
export function loadSettings(sources: SettingsSources): Settings {
  const problems: string[] = [];
  const given = gather(sources, problems);
  const settings = read(given, sources, problems);
  problems.push(...conflicts(settings, given));
  if (problems.length > 0) throw new SettingsError(problems);
  return settings;
}

/** What `entrepot config` prints. Throws `SettingsError`. */
export function explainSettings(sources: SettingsSources): readonly ExplainedSetting[] {
  const settings = loadSettings(sources);
  const { given } = gather(sources, []);
  return SETTINGS.map((setting) => {
    const found = given.get(setting.key);
    const made = MADE.get(setting)?.(settings);
    const value = made ?? found?.value ?? setting.fallback ?? '';
    return { key: setting.key, value: shown(setting, value), origin: found?.origin ?? 'default' };
  });
}

/** What depends on others where nobody says anything. */
const MADE: ReadonlyMap<Setting, (settings: Settings) => string> = new Map<Setting, (settings: Settings) => string>([
  [TABLE.logFormat, ({ log }) => log.format],
  [TABLE.logAccess, ({ log }) => String(log.access)],
]);

/** Settings from `--listen 0.0.0.0:80` and the like; throws `SettingsError` for a flag that is none. `--config` is among them. */
export function parseFlags(argv: readonly string[]): Record<string, string> {
  const keys = new Map<string, string>([['config', 'config']]);
  for (const setting of SETTINGS) keys.set(flagOf(setting).slice(2), setting.key);
  const options = Object.fromEntries([...keys.keys()].map((flag) => [flag, { type: 'string' as const }]));
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, tokens: true });
  const flags: Record<string, string> = {};
  const problems: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') problems.push(`${JSON.stringify(token.value)} is not a flag`);
    if (token.kind !== 'option') continue;
    const key = keys.get(token.name);
    if (key === undefined) problems.push(`flag ${token.rawName} ${unknownName(token.name, [...keys.keys()])}`);
    else if (!token.value) problems.push(`flag ${token.rawName} needs a value`);
    else flags[key] = token.value;
  }
  if (problems.length > 0) throw new SettingsError(problems);
  return flags;
}

function read({ given, file }: GivenSettings, { cwd, env, terminal }: SettingsSources, problems: string[]): Settings {
  const value = <T>(setting: Setting<T>): T | undefined => parsed(setting, given.get(setting.key), cwd, problems);
  const certain = <T>(setting: Setting<T>): T => value(setting) ?? fallback(setting, cwd);
  const data = certain(TABLE.data);
  const [cert, key] = [value(TABLE.tlsCert), value(TABLE.tlsKey)];
  const endpoint = value(TABLE.telemetry);
  const format = value(TABLE.logFormat) ?? (terminal ? 'text' : 'json');
  return {
    listen: certain(TABLE.listen),
    baseUrl: value(TABLE.baseUrl),
    hosts: value(TABLE.hosts) ?? [],
    trustedProxies: value(TABLE.trustedProxies) ?? [],
    data,
    database: databaseIn(data, certain(TABLE.database)),
    storage: storageIn(data, certain(TABLE.storage), { env, redirect: certain(TABLE.storageRedirect) }),
    storageMaxSize: value(TABLE.storageMaxSize),
    scrubEvery: certain(TABLE.scrubEvery),
    redisUrl: value(TABLE.redis),
    journal: value(TABLE.journal),
    adminToken: value(TABLE.adminToken),
    secretKey: value(TABLE.secretKey),
    secretKeyPrevious: value(TABLE.secretKeyPrevious),
    defaults: certain(TABLE.defaults),
    anonymous: certain(TABLE.anonymous),
    workers: certain(TABLE.workers),
    log: { level: certain(TABLE.logLevel), format, access: value(TABLE.logAccess) ?? format === 'json' },
    telemetry: endpoint === undefined ? undefined : { endpoint, sample: certain(TABLE.telemetrySample) },
    tls: cert !== undefined && key !== undefined ? { cert, key } : undefined,
    refusalHelp: value(TABLE.refusalHelp),
    audit: { durability: certain(TABLE.durability) },
    memory: { hot: certain(TABLE.memoryHot) },
    file,
  };
}

/** Undefined where nobody says anything, or what is said is wrong and `problems` gets why. */
function parsed<T>(setting: Setting<T>, given: Given | undefined, cwd: string, problems: string[]): T | undefined {
  if (!given) return setting.fallback === undefined ? undefined : fallback(setting, cwd);
  try {
    return setting.parse(given.value, given.folder);
  } catch (cause) {
    problems.push(`${given.origin} ${(cause as Error).message}`);
    return undefined;
  }
}

function fallback<T>({ parse, fallback: text = '' }: Setting<T>, cwd: string): T {
  return parse(text, cwd);
}

function databaseIn(data: string, at: DatabaseAt): Settings['database'] {
  return at.kind === 'postgres' ? at : { kind: 'sqlite', path: at.path ?? join(data, 'entrepot.sqlite') };
}

function storageIn(
  data: string,
  at: StorageAt,
  { env, redirect }: { readonly env: SettingsSources['env']; readonly redirect: boolean },
): Settings['storage'] {
  if (at.kind === 'file') return { kind: 'file', path: at.path ?? data };
  return { kind: 's3', address: withKeysOf(at.address, env), redirect };
}

/** What no setting says by itself. */
function conflicts(settings: Settings, { given }: GivenSettings): string[] {
  const origin = ({ key }: Setting): string => given.get(key)?.origin ?? key;
  const has = ({ key }: Setting): boolean => given.has(key);
  const problems: string[] = [];
  if (!isLoopback(settings.listen.host) && !has(TABLE.baseUrl) && !has(TABLE.hosts)) {
    problems.push(
      `${origin(TABLE.listen)} is reachable from other machines: set base_url (ENTREPOT_BASE_URL) to the address that clients use, or hosts (ENTREPOT_HOSTS) to the hosts they may use`,
    );
  }
  if (has(TABLE.tlsCert) !== has(TABLE.tlsKey)) {
    const [set, missing] = has(TABLE.tlsCert) ? [TABLE.tlsCert, TABLE.tlsKey] : [TABLE.tlsKey, TABLE.tlsCert];
    problems.push(`${origin(set)} needs ${missing.key} (${missing.env}) beside it`);
  }
  if (settings.tls) {
    problems.push(
      ...unreadable(settings.tls.cert, origin(TABLE.tlsCert)),
      ...unreadable(settings.tls.key, origin(TABLE.tlsKey)),
    );
  }
  if (settings.database.kind === 'postgres' && !has(TABLE.secretKey)) {
    problems.push(
      `${origin(TABLE.database)} names PostgreSQL: set secret_key (ENTREPOT_SECRET_KEY) too, so that every process has the same`,
    );
  }
  if (settings.redisUrl !== undefined && settings.database.kind === 'sqlite') {
    problems.push(
      `${origin(TABLE.redis)} is for several processes on one PostgreSQL: set database_url (ENTREPOT_DATABASE_URL) to it, or leave redis_url out, since an SQLite file has one process and nothing to coordinate`,
    );
  } else if (settings.redisUrl !== undefined && !has(TABLE.storage)) {
    problems.push(
      `${origin(TABLE.redis)} is for several processes: set storage_url (ENTREPOT_STORAGE_URL) to a place of blobs that all of them have, such as s3://bucket or file:<folder on a shared volume>`,
    );
  }
  problems.push(...storageConflicts(settings.storage, origin, given.get(TABLE.storageRedirect.key)?.value === 'true'));
  return problems;
}

function storageConflicts(
  storage: Settings['storage'],
  origin: (setting: Setting) => string,
  redirect: boolean,
): string[] {
  if (storage.kind === 's3' && storage.address.accessKey === '') {
    return [
      `${origin(TABLE.storage)} names a bucket without a key: write s3://key:secret@bucket, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`,
    ];
  }
  if (storage.kind === 's3' || !redirect) return [];
  return [`${origin(TABLE.storageRedirect)} is for blobs in S3: set storage_url (ENTREPOT_STORAGE_URL) to a bucket`];
}

function unreadable(path: string, origin: string): string[] {
  try {
    accessSync(path, constants.R_OK);
    return [];
  } catch (cause) {
    return [`${origin} names ${path}, which cannot be read (${(cause as NodeJS.ErrnoException).code})`];
  }
}

function shown({ secret }: Setting, value: string): string {
  if (!secret || value === '') return value;
  if (/^(sqlite|file):/.test(value)) return value;
  if (!URL.canParse(value)) return '****';
  const url = new URL(value);
  const options = url.protocol === 's3:' ? url.search : '';
  return `${url.protocol}//${url.username ? '****@' : ''}${url.host}${url.pathname}${options}`;
}
