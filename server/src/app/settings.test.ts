import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { explainSettings, loadSettings, parseFlags, SettingsError, type SettingsSources } from './settings.ts';
import { SETTINGS } from './settings-table.ts';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'settings-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

const file = (text: string, name = 'entrepot.yaml'): void => writeFileSync(join(cwd, name), text);
const load = (given: Partial<SettingsSources> = {}) => loadSettings({ env: {}, cwd, ...given });

function problems(given: Partial<SettingsSources> = {}): readonly string[] {
  try {
    load(given);
    return [];
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.problems;
  }
}

test('nothing said: loopback, SQLite and blobs in ./data, anonymous reading', () => {
  expect(load()).toEqual({
    listen: { host: '127.0.0.1', port: 8080 },
    baseUrl: undefined,
    hosts: [],
    trustedProxies: [],
    data: join(cwd, 'data'),
    database: { kind: 'sqlite', path: join(cwd, 'data/entrepot.sqlite') },
    storage: { kind: 'file', path: join(cwd, 'data') },
    storageMaxSize: undefined,
    scrubEvery: 30 * 86_400_000,
    redisUrl: undefined,
    journal: undefined,
    adminToken: undefined,
    secretKeyPrevious: undefined,
    secretKey: undefined,
    defaults: true,
    anonymous: 'read',
    workers: 1,
    log: { level: 'info', format: 'json', access: true },
    telemetry: undefined,
    tls: undefined,
    audit: { durability: 'journal' },
    memory: { hot: 128_000_000 },
    file: undefined,
  });
  expect(load({ terminal: true }).log.format).toBe('text');
});

test('the file gives way to the environment, the environment to flags', () => {
  file('listen: 127.0.0.1:1\nlog:\n  level: debug\ndata: kept\n');
  const given = { env: { ENTREPOT_LISTEN: '127.0.0.1:2', ENTREPOT_DATA: 'env' }, flags: { listen: '[::1]:3' } };
  const settings = load(given);
  expect(settings.listen).toEqual({ host: '::1', port: 3 });
  expect(settings.data).toBe(join(cwd, 'env'));
  expect(settings.log.level).toBe('debug');
  expect(settings.file).toBe(join(cwd, 'entrepot.yaml'));
});

test('JSON and dotted keys are read alike', () => {
  file('{ "log.level": "warn", "audit": { "durability": "strict" }, "hosts": ["A.test", "b.test:8443"] }', 'x.json');
  const settings = load({ env: { ENTREPOT_CONFIG: 'x.json' } });
  expect(settings.log.level).toBe('warn');
  expect(settings.audit.durability).toBe('strict');
  expect(settings.hosts).toEqual(['a.test', 'b.test:8443']);
});

test('relative paths in a file start from its folder', () => {
  mkdirSync(join(cwd, 'etc'));
  file('data: ../state\nstorage_url: file:blobs\n', 'etc/e.yaml');
  const settings = load({ flags: { config: 'etc/e.yaml' } });
  expect(settings.data).toBe(join(cwd, 'state'));
  expect(settings.storage).toEqual({ kind: 'file', path: join(cwd, 'etc/blobs') });
});

test('every mistake of a file is named with its line and key', () => {
  file('listen: 99999\nlog:\n  levle: debug\n  level: loud\nlisten2: x\ndefaults: maybe\nhosts: {a: b}\ndata:\n');
  const at = join(cwd, 'entrepot.yaml');
  expect(problems()).toEqual([
    `${at}:3: log.levle is not known: did you mean log.level?`,
    `${at}:5: listen2 is not known: did you mean listen?`,
    `${at}:7: hosts must be a list of texts`,
    `${at}:8: data must be one value`,
    `${at}:1: listen must be an address and a port, such as 127.0.0.1:8080, 0.0.0.0:8080 or [::]:8080`,
    `${at}:6: defaults must be true or false, not "maybe"`,
    `${at}:4: log.level must be debug or info or warn or error or silent, not "loud"`,
  ]);
});

test('a file that is no YAML is named with the line', () => {
  file('listen: 127.0.0.1:1\nhosts: [a\n');
  expect(problems()[0]).toMatch(/entrepot\.yaml:[23]: /);
  file('listen: 1\nlisten: 2\n');
  expect(problems()[0]).toMatch(/entrepot\.yaml:2: .*unique/);
  file('- listen\n');
  expect(problems()[0]).toMatch(/entrepot\.yaml:1: must be a map of settings/);
  file('');
  expect(problems()).toEqual([]);
});

test('a file that somebody named must be there', () => {
  expect(problems({ flags: { config: 'gone.yaml' } })).toEqual([
    `${join(cwd, 'gone.yaml')}: there is no such file (named by flag --config)`,
  ]);
  expect(problems({ env: { ENTREPOT_CONFIG: '.' } })).toEqual([
    `${cwd}: it is a folder (named by environment ENTREPOT_CONFIG)`,
  ]);
});

test('variables that mean nothing are refused, but not those of clients or of Kubernetes', () => {
  expect(problems({ env: { ENTREPOT_LISTN: '1', PATH: '/bin' } })).toEqual([
    'environment ENTREPOT_LISTN is not known: did you mean ENTREPOT_LISTEN?',
  ]);
  const links = {
    ENTREPOT_PORT: 'tcp://10.0.0.1:80',
    ENTREPOT_SERVICE_HOST: '10.0.0.1',
    ENTREPOT_PORT_80_TCP_ADDR: '10.0.0.1',
  };
  const database = { ENTREPOT_DB_SERVICE_PORT_SQL: '1', ENTREPOT_DB_PORT_5432_TCP: 'x' };
  expect(problems({ env: { ...links, ...database, ENTREPOT_URL: 'http://x', ENTREPOT_TOKEN: 't' } })).toEqual([]);
});

test('an empty variable is an unset one', () => {
  expect(load({ env: { ENTREPOT_BASE_URL: '', ENTREPOT_CONFIG: '' } }).baseUrl).toBeUndefined();
});

test('a port that others can reach needs a public address', () => {
  const refused = problems({ flags: { listen: '0.0.0.0:8080' } });
  expect(refused).toHaveLength(1);
  expect(refused[0]).toContain('flag --listen is reachable from other machines: set base_url (ENTREPOT_BASE_URL)');
  expect(problems({ flags: { listen: '0.0.0.0:8080', base_url: 'https://p.test/' } })).toEqual([]);
  expect(problems({ flags: { listen: '[::]:8080', hosts: 'p.test' } })).toEqual([]);
  for (const listen of ['[::1]:1', 'localhost:1', '127.8.8.8:1', '9'])
    expect(problems({ flags: { listen } })).toEqual([]);
});

test.each([
  ['base_url', 'https://p.test/entrepot', 'without a path'],
  ['base_url', 'p.test', 'must be an address such as'],
  ['hosts', 'a,b,c,d,e,f,g,h,i', 'at most 8 hosts, not 9'],
  ['hosts', 'https://p.test', 'must be hosts such as'],
  ['trusted_proxies', '10.0.0.0/33', 'must be addresses or networks'],
  ['database_url', 'mysql://x', 'must be sqlite:'],
  ['storage_url', 'gs://bucket', 'must be file:, file:<folder> or s3://bucket'],
  ['storage_url', 's3://key:hunter2/x+y@bucket', '%2F for /'],
  ['storage_url', 's3://key:hunter2@B?region=x', 'the name of a bucket'],
  ['storage_url', 's3://key@bucket', 'one half of a key'],
  ['storage_url', 's3://key:hunter2@bucket/a b', 'a prefix'],
  ['storage_url', 's3://key:hunter2@bucket?secret=hunter2', 'endpoint, region, path_style'],
  ['storage_url', 's3://key:hunter2@bucket?endpoint=s3.test:9000', 'has an endpoint that is none'],
  ['storage_url', 's3://key:hunter2@bucket?path_style=maybe', 'must be true or false'],
  ['storage_url', 's3://bucket', 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'],
  ['storage.redirect', 'true', 'set storage_url'],
  ['redis_url', 'redis://:hunter2@x', 'leave redis_url out'],
  ['redis_url', 'http://:hunter2@x', 'must be redis://'],
  ['redis_url', 'redis://', 'must be redis://'],
  ['admin_token', 'short', 'at least 16 characters'],
  ['admin_token', 'with blanks in the middle', 'without blanks'],
  ['workers', '2', 'must be 1: this version serves with one process'],
  ['workers', 'auto', 'must be 1'],
  ['workers', 'many', 'must be a number'],
  ['anonymous', 'write', 'must be read or none'],
  ['refusal_help', 'ask\nme', 'must be one line of printable ASCII'],
  ['refusal_help', 'x'.repeat(301), 'must have at most 300 characters, not 301'],
  ['memory.hot', '1 GB', 'there is no space before the unit'],
  ['tls.cert', 'cert.pem', 'needs tls.key (ENTREPOT_TLS_KEY) beside it'],
  ['database_url', 'postgres://u:hunter2@db/e', 'set secret_key'],
])('%s=%s is refused with what to do', (key, value, words) => {
  const refused = problems({ flags: { [key]: value } });
  expect(refused).toHaveLength(1);
  expect(refused[0]).toContain(words);
  expect(refused[0]).not.toContain('hunter2');
});

test('a bucket is named by one address, its key in it or where every program of AWS has it', () => {
  const url = 's3://key:a%2Fb%2Bc@bucket.one/team/entrepot?endpoint=https://s3.test:9000/&region=eu-west-1';
  const flags = { storage_url: url, 'storage.redirect': 'true' };
  const address = {
    bucket: 'bucket.one',
    prefix: 'team/entrepot/',
    endpoint: 'https://s3.test:9000',
    region: 'eu-west-1',
    pathStyle: true,
    accessKey: 'key',
    secretKey: 'a/b+c',
  };
  const env = { AWS_ACCESS_KEY_ID: 'other', AWS_SECRET_ACCESS_KEY: 'secret', AWS_SESSION_TOKEN: 'session' };
  expect(load({ flags, env }).storage).toEqual({ kind: 's3', address, redirect: true });
  expect(load({ flags: { storage_url: 's3://bucket?region=eu-north-1' }, env }).storage).toEqual({
    kind: 's3',
    redirect: false,
    address: {
      bucket: 'bucket',
      prefix: '',
      endpoint: 'https://s3.eu-north-1.amazonaws.com',
      region: 'eu-north-1',
      pathStyle: false,
      accessKey: 'other',
      secretKey: 'secret',
      sessionToken: 'session',
    },
  });
  const explained = explainSettings({ env, cwd, flags });
  expect(explained.find(({ key }) => key === 'storage_url')?.value).toBe(
    's3://****@bucket.one/team/entrepot?endpoint=https://s3.test:9000/&region=eu-west-1',
  );
});

test('several processes share a PostgreSQL, a Redis and a place for blobs', () => {
  const redis = 'rediss://me:hunter2@redis.test:6380/2';
  const several = { database_url: 'postgres://u:hunter2@db/e', secret_key: 'k'.repeat(32), redis_url: redis };
  const [refused, ...others] = problems({ flags: several });
  expect(others).toEqual([]);
  expect(refused).toContain('set storage_url (ENTREPOT_STORAGE_URL) to a place of blobs that all of them have');
  const flags = { ...several, storage_url: 'file:blobs', journal: 'journals' };
  expect(load({ flags })).toMatchObject({ redisUrl: redis, journal: join(cwd, 'journals') });
  const shown = explainSettings({ env: {}, cwd, flags }).find(({ key }) => key === 'redis_url')?.value;
  expect(shown).toBe('rediss://****@redis.test:6380/2');
});

test('TLS files must be readable', () => {
  file('cert', 'c.pem');
  const flags = { 'tls.cert': 'c.pem', 'tls.key': 'k.pem' };
  expect(problems({ flags })).toEqual([`flag --tls-key names ${join(cwd, 'k.pem')}, which cannot be read (ENOENT)`]);
  file('key', 'k.pem');
  expect(load({ flags }).tls).toEqual({ cert: join(cwd, 'c.pem'), key: join(cwd, 'k.pem') });
});

test('flags are read by name; what is none is refused', () => {
  expect(parseFlags(['--listen=1', '--log-level', 'debug', '--base-url', 'http://x', '--config', 'c'])).toEqual({
    listen: '1',
    'log.level': 'debug',
    base_url: 'http://x',
    config: 'c',
  });
  expect(() => parseFlags(['--lisen', '1'])).toThrow('flag --lisen is not known: did you mean listen?');
  expect(() => parseFlags(['--listen'])).toThrow('flag --listen needs a value');
  expect(() => parseFlags(['serve'])).toThrow('"serve" is not a flag');
});

test('explaining says what holds and where it comes from, and no secret', () => {
  file('data: kept\n');
  const env = {
    ENTREPOT_ADMIN_TOKEN: 'a-token-that-is-secret',
    ENTREPOT_DATABASE_URL: 'postgres://user:hunter2@db.test:5432/entrepot?password=hunter2',
    ENTREPOT_SECRET_KEY: 'k'.repeat(32),
  };
  const explained = explainSettings({ env, cwd, flags: { listen: '127.0.0.1:1' } });
  const of = (key: string): unknown => explained.find((each) => each.key === key);
  expect(of('listen')).toEqual({ key: 'listen', value: '127.0.0.1:1', origin: 'flag --listen' });
  expect(of('data')).toEqual({ key: 'data', value: 'kept', origin: `${join(cwd, 'entrepot.yaml')}:1: data` });
  expect(of('anonymous')).toEqual({ key: 'anonymous', value: 'read', origin: 'default' });
  expect(of('admin_token')).toEqual({ key: 'admin_token', value: '****', origin: 'environment ENTREPOT_ADMIN_TOKEN' });
  expect(of('database_url')).toMatchObject({ value: 'postgres://****@db.test:5432/entrepot' });
  expect(JSON.stringify(explained)).not.toMatch(/hunter2|a-token|kkkk/);
  expect(explained.map(({ key }) => key)).toEqual(SETTINGS.map(({ key }) => key));
});
