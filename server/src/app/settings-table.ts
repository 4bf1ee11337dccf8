import { bytes } from '../contract/index.ts';
import * as parse from './settings-parse.ts';

export interface Setting<T = unknown> {
  /** As in the file; nested maps or dots. */
  readonly key: string;
  readonly env: string;
  readonly description: string;
  /** As in prose: what holds when nobody says anything. */
  readonly otherwise: string;
  /** The default as it would be written; absent: there is none. */
  readonly fallback?: string;
  /** A list in the file; separated by commas elsewhere. */
  readonly list?: true;
  readonly secret?: true;
  /** Throws `RangeError` with a sentence to follow the setting's name. Relative paths start from `folder`. */
  readonly parse: (text: string, folder: string) => T;
}

const setting = <T>(key: string, definition: Omit<Setting<T>, 'key' | 'env'>): Setting<T> => ({
  key,
  env: `ENTREPOT_${key.replaceAll('.', '_').toUpperCase()}`,
  ...definition,
});

/** Every setting, once. */
export const TABLE = {
  listen: setting('listen', {
    description: 'Address and port to serve at; port 0 takes any free one.',
    otherwise: '`127.0.0.1:8080`',
    fallback: '127.0.0.1:8080',
    parse: parse.listen,
  }),
  baseUrl: setting('base_url', {
    description: 'Public address, as clients reach it.',
    otherwise:
      'from the request on loopback; elsewhere this or `hosts` must be set, since a Host header is not believed',
    parse: parse.baseUrl,
  }),
  hosts: setting('hosts', {
    description: 'Up to 8 hosts, with their port where it is not the usual one, under which clients reach it.',
    otherwise: 'none',
    list: true,
    parse: parse.hosts,
  }),
  trustedProxies: setting('trusted_proxies', {
    description: 'Addresses or networks of proxies in front, whose forwarded headers are believed.',
    otherwise: 'none: forwarded headers are ignored',
    list: true,
    parse: parse.networks,
  }),
  data: setting('data', {
    description: 'Folder of everything that is kept.',
    otherwise: '`./data`',
    fallback: './data',
    parse: parse.path,
  }),
  database: setting('database_url', {
    description: 'Where the ledger is: `sqlite:`, `sqlite:<file>`, `postgres://user:password@host/database`.',
    otherwise: '`sqlite:`, a file in the data folder',
    fallback: 'sqlite:',
    secret: true,
    parse: parse.database,
  }),
  storage: setting('storage_url', {
    description: 'Where blobs are kept: `file:`, `file:<folder>`.',
    otherwise: '`file:`, in the data folder',
    fallback: 'file:',
    secret: true,
    parse: parse.storage,
  }),
  redis: setting('redis_url', {
    description: 'For several processes; not in this version, which coordinates itself.',
    otherwise: 'none',
    secret: true,
    parse: parse.notYet('is for several processes: this version serves with one, leave it out'),
  }),
  adminToken: setting('admin_token', {
    description: 'Token of the administrator, at least 16 characters.',
    otherwise: 'made at first start and kept in `<data>/admin-token`',
    secret: true,
    parse: parse.secret(16),
  }),
  secretKey: setting('secret_key', {
    description:
      'Seals the secrets in the ledger and the short-lived tokens of container clients, at least 32 characters.',
    otherwise: 'with SQLite made at first start; with PostgreSQL it must be set',
    secret: true,
    parse: parse.secret(32),
  }),
  defaults: setting('defaults', {
    description: 'Whether the first start makes a remote and a virtual repository per format.',
    otherwise: '`true`',
    fallback: 'true',
    parse: parse.flag,
  }),
  anonymous: setting('anonymous', {
    description: 'What callers without a token may do: `read` lets anyone who reaches the port pull, `none` nothing.',
    otherwise: '`read`',
    fallback: 'read',
    parse: parse.among('read', 'none'),
  }),
  workers: setting('workers', {
    description: 'Number of serving processes; 1 in this version.',
    otherwise: '`1`',
    fallback: '1',
    parse: parse.oneWorker,
  }),
  logLevel: setting('log.level', {
    description: 'The least that is logged: `debug`, `info`, `warn`, `error`, `silent`.',
    otherwise: '`info`',
    fallback: 'info',
    parse: parse.among('debug', 'info', 'warn', 'error', 'silent'),
  }),
  logFormat: setting('log.format', {
    description: 'How it is logged: `text` or `json`.',
    otherwise: '`text` on a terminal, else `json`',
    parse: parse.among('text', 'json'),
  }),
  tlsCert: setting('tls.cert', {
    description: 'File of the certificate chain, PEM; with `tls.key`, Entrepot speaks HTTPS.',
    otherwise: 'none: plain HTTP',
    parse: parse.path,
  }),
  tlsKey: setting('tls.key', {
    description: 'File of the private key, PEM.',
    otherwise: 'none',
    parse: parse.path,
  }),
  refusalHelp: setting('refusal_help', {
    description:
      'What every refusal ends with: whom to ask for an exemption, as a sentence or an address; `{purl}` stands for what was refused.',
    otherwise: '`For an exemption ask whoever runs this registry; more: entrepot explain {purl}`',
    parse: parse.sentence(300),
  }),
  durability: setting('audit.durability', {
    description: 'What a pull waits for before its last byte: `journal` for the write, `strict` for the disk too.',
    otherwise: '`journal`',
    fallback: 'journal',
    parse: parse.among('journal', 'strict'),
  }),
  memoryHot: setting('memory.hot', {
    description: 'Memory for answers kept ready, such as `128MB`.',
    otherwise: '`128MB`',
    fallback: '128MB',
    parse: bytes,
  }),
};

export const SETTINGS: readonly Setting[] = Object.values(TABLE);
