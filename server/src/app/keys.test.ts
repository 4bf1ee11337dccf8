import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openKeys } from './keys.ts';

const KEY = 'a-secret-key-of-at-least-32-characters';
const OTHER = 'another-key-of-at-least-32-characters';

let root: string;
let facts: Map<string, string>;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'entrepot-keys-'));
  facts = new Map();
});
afterEach(() => rm(root, { recursive: true }));

const ledger = {
  fact: async (key: string) => facts.get(key),
  setFact: async (key: string, value: string) => void facts.set(key, value),
  claimFact: async (key: string, value: string) => {
    facts.set(key, facts.get(key) ?? value);
    return facts.get(key) ?? '';
  },
};

async function open(folder: string, given: Partial<Parameters<typeof openKeys>[0]> = {}) {
  const data = await mkdtemp(join(root, folder));
  return { data, keys: await openKeys({ ...settings, ...given, data: given.data ?? data }, ledger) };
}
const settings = {
  adminToken: undefined,
  secretKey: KEY,
  secretKeyPrevious: undefined,
  database: { kind: 'postgres', url: 'postgres://localhost/x' },
} as const;
const tokenIn = (data: string) => readFile(join(data, 'admin-token'), 'utf8');

test('processes that start together on an empty database have the same token and keys, and each has the token at hand', async () => {
  const all = await Promise.all(['one-', 'two-', 'three-'].map((name) => open(name)));
  const [first] = all;
  for (const { data, keys } of all) {
    expect(keys.adminToken.value).toMatch(/^entrepot_[\w-]{43}$/);
    expect([keys.adminToken.value, keys.tokenKey]).toEqual([first?.keys.adminToken.value, first?.keys.tokenKey]);
    expect(await tokenIn(data)).toBe(`${keys.adminToken.value}\n`);
    expect((await stat(join(data, 'admin-token'))).mode & 0o777).toBe(0o600);
    expect(await readdir(data)).toEqual(['admin-token']);
  }
});

test('the database holds neither token nor key that could be read', async () => {
  const { keys } = await open('one-');
  const kept = [...facts.values()].join('\n');
  expect([...facts.keys()]).toEqual(['sealed.token-key', 'sealed.admin-token']);
  expect(kept).not.toContain(keys.adminToken.value);
  expect(kept).not.toContain(keys.tokenKey);
  expect(kept).not.toContain(KEY);
});

test('another secret key is refused in one line that says what to do', async () => {
  await open('one-');
  const before = new Map(facts);
  await expect(open('two-', { secretKey: OTHER })).rejects.toThrow(
    /^secret_key [^\n]*sealed with: set that one, or name it in secret_key_previous[^\n]*$/,
  );
  expect(facts).toEqual(before);
});

test('the secret key is changed by naming the previous one beside it, once', async () => {
  const { keys: before } = await open('one-');
  const { keys: during } = await open('two-', { secretKey: OTHER, secretKeyPrevious: KEY });
  const { keys: after } = await open('three-', { secretKey: OTHER });
  for (const { adminToken, tokenKey } of [during, after])
    expect([adminToken.value, tokenKey]).toEqual([before.adminToken.value, before.tokenKey]);
  await expect(open('four-', { secretKey: KEY })).rejects.toThrow(/secret_key/);
});

test('a folder that had another token gets that of the database, and the first brings its own', async () => {
  const data = await mkdtemp(join(root, 'old-'));
  await writeFile(join(data, 'admin-token'), 'the-token-of-before\n');
  expect((await open('one-', { data })).keys.adminToken.value).toBe('the-token-of-before');
  const other = await mkdtemp(join(root, 'other-'));
  await writeFile(join(other, 'admin-token'), 'the-token-of-another\n');
  await open('two-', { data: other });
  expect(await tokenIn(other)).toBe('the-token-of-before\n');
});

test('a token of the settings is kept nowhere', async () => {
  const { data, keys } = await open('one-', { adminToken: 'a-configured-token' });
  expect(keys.adminToken).toEqual({ value: 'a-configured-token', path: undefined, exposed: false });
  expect([await readdir(data), [...facts.keys()]]).toEqual([[], ['sealed.token-key']]);
});

test('with SQLite a secret key is made, kept for its owner only, and replaced by one of the settings', async () => {
  const sqlite = { database: { kind: 'sqlite', path: 'x' }, secretKey: undefined } as const;
  const { data, keys } = await open('one-', sqlite);
  expect((await readdir(data)).sort()).toEqual(['admin-token', 'secret-key']);
  expect((await stat(join(data, 'secret-key'))).mode & 0o777).toBe(0o600);
  expect((await open('', { ...sqlite, data })).keys.tokenKey).toBe(keys.tokenKey);
  expect((await open('', { ...sqlite, data, secretKey: OTHER })).keys.tokenKey).toBe(keys.tokenKey);
  const elsewhere = await open('two-', { ...sqlite, secretKey: OTHER });
  expect(elsewhere.keys.tokenKey).toBe(keys.tokenKey);
});

test('a file of a secret key that is empty is not taken for one', async () => {
  const data = await mkdtemp(join(root, 'data-'));
  await writeFile(join(data, 'secret-key'), '\n');
  const sqlite = { database: { kind: 'sqlite', path: 'x' }, secretKey: undefined } as const;
  await expect(open('', { ...sqlite, data })).rejects.toThrow(/secret-key holds no key: restore it/);
});
