import { mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Access } from './access.ts';
import { adminToken } from './admin-token.ts';

const TOKEN = 'entrepot_0123456789abcdef';
const access = new Access(TOKEN, 'read');
const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
const folder = () => mkdtemp(join(tmpdir(), 'entrepot-access-'));

test.each([
  ['Bearer', { authorization: `Bearer ${TOKEN}` }],
  ['bearer in lower case', { authorization: `bearer  ${TOKEN}` }],
  ['the raw value', { authorization: TOKEN }],
  ['the password of Basic', { authorization: basic('anyone', TOKEN) }],
  ['the password of Basic without a user', { authorization: basic('', TOKEN) }],
  ['an API key', { 'x-api-key': TOKEN }],
])('the admin token is accepted as %s', (_, headers) => {
  expect(access.principalOf(headers)).toEqual({ principal: 'admin', admin: true });
});

test.each([
  ['another token', { authorization: 'Bearer entrepot_other' }],
  ['a part of it', { authorization: `Bearer ${TOKEN.slice(0, -1)}` }],
  ['more than it', { authorization: `Bearer ${TOKEN}x` }],
  ['an empty Bearer', { authorization: 'Bearer ' }],
  ['another scheme', { authorization: `Digest ${TOKEN}` }],
  ['the user of Basic', { authorization: basic(TOKEN, 'x') }],
  ['an empty API key', { 'x-api-key': '' }],
])('%s is nobody', (_, headers) => {
  expect(access.principalOf(headers)).toBeUndefined();
});

test('without a token one is anonymous, where that is allowed', () => {
  expect(access.principalOf({})).toEqual({ principal: 'anonymous', admin: false });
  expect(new Access(TOKEN, 'none').principalOf({})).toBeUndefined();
});

test('the first start makes a token that only its owner can read, and later starts keep it', async () => {
  const data = await folder();
  const [made, raced] = await Promise.all([adminToken(data, undefined), adminToken(data, undefined)]);
  expect(made.value).toMatch(/^entrepot_[\w-]{43}$/);
  expect(raced).toEqual(made);
  expect((await stat(join(data, 'admin-token'))).mode & 0o777).toBe(0o600);
  expect(await adminToken(data, undefined)).toEqual(made);
  expect(await readdir(data)).toEqual(['admin-token']);
});

test('a configured token leaves no file', async () => {
  const data = await folder();
  expect((await adminToken(data, 'a-configured-token')).value).toBe('a-configured-token');
  expect(await readdir(data)).toEqual([]);
});

test('an empty token file is no token, and says what to do', async () => {
  const data = await folder();
  await writeFile(join(data, 'admin-token'), '\n');
  await expect(adminToken(data, undefined)).rejects.toThrow(/admin-token holds no token: delete the file/);
});

test('a token file that others can read is noticed', async () => {
  const data = await folder();
  await writeFile(join(data, 'admin-token'), `${TOKEN}\n`, { mode: 0o644 });
  expect((await adminToken(data, undefined)).exposed).toBe(true);
  expect(await readFile(join(data, 'admin-token'), 'utf8')).toBe(`${TOKEN}\n`);
});
