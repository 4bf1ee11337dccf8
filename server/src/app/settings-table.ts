import { bytes, duration } from '../contract/index.ts';
import * as parse from './settings-parse.ts';
import { storage } from './storage-url.ts';

export interface Setting<T = unknown> {
  /** As in the file; nested maps or dots. */
  readonly key: string;
  readonly env: string;
  /** A variable of wider use that means the same, below all else. */
  readonly also?: string;
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
    description:
      'Where blobs are kept: `file:`, `file:<folder>`, or a bucket of S3, `s3://key:secret@bucket/prefix?endpoint=https://host:port&region=name`; the key may be in `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` instead.',
    otherwise: '`file:`, in the data folder',
    fallback: 'file:',
    secret: true,
    parse: storage,
  }),
  storageRedirect: setting('storage.redirect', {
    description:
      'Whether clients are sent to the bucket for the files of packages (307, an address that holds for a minute), so that the bytes do not pass through here.',
    otherwise: '`false`',
    fallback: 'false',
    parse: parse.flag,
  }),
  storageMaxSize: setting('storage.max_size', {
    description:
      'The room for all blobs, such as `200GB`: above it, what remotes used least recently is evicted, until a tenth of it is free.',
    otherwise: 'any; on a disk, until 5 % of it are left (at least 1 GB, at most 20 GB)',
    parse: bytes,
  }),
  scrubEvery: setting('storage.scrub_every', {
    description: 'Within which time every blob is read again and compared with its digest; `0`: never.',
    otherwise: '`30d`',
    fallback: '30d',
    parse: duration,
  }),
  redis: setting('redis_url', {
    description:
      'Where several processes on one PostgreSQL coordinate: `redis://user:password@host:port/database`, or `rediss:` with TLS.',
    otherwise: 'none: one process coordinates itself, and a second one on its database is refused',
    secret: true,
    parse: parse.redis,
  }),
  journal: setting('journal', {
    description:
      'Folder of the pulls on their way into the ledger. Processes that share one (a volume) take over what a killed one left.',
    otherwise: '`journal` in the data folder',
    parse: parse.path,
  }),
  adminToken: setting('admin_token', {
    description: 'Token of the administrator, at least 16 characters.',
    otherwise: 'made at first start and kept in `<data>/admin-token`',
    secret: true,
    parse: parse.secret(16),
  }),
  secretKey: setting('secret_key', {
    description: 'Seals the secrets in the ledger, at least 32 characters; every process on one database has the same.',
    otherwise: 'with SQLite made at first start and kept in `<data>/secret-key`; with PostgreSQL it must be set',
    secret: true,
    parse: parse.secret(32),
  }),
  secretKeyPrevious: setting('secret_key_previous', {
    description: 'What `secret_key` was before: what it sealed is sealed anew at start.',
    otherwise: 'none',
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
  logAccess: setting('log.access', {
    description:
      'Whether the log has a line for each request, and for each that is sent to an upstream; where `log.level` is `debug` or `info`.',
    otherwise: '`true` where `log.format` is `json`',
    parse: parse.flag,
  }),
  telemetry: setting('telemetry.endpoint', {
    description:
      'Where traces are sent, by OTLP over HTTP: an address to which `/v1/traces` is added. OpenTelemetry’s own variables say the rest (`OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_RESOURCE_ATTRIBUTES`).',
    otherwise: '`OTEL_EXPORTER_OTLP_ENDPOINT`; without either there are none',
    secret: true,
    also: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    parse: parse.collector,
  }),
  telemetrySample: setting('telemetry.sample', {
    description: 'Share of the requests that begin a trace, 0 to 1; one that belongs to a trace follows that.',
    otherwise: '`1`',
    fallback: '1',
    parse: parse.share,
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
