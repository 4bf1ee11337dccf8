import { expect, test } from 'vitest';
import { Access } from './access.ts';
import { ShortTokens } from './short-token.ts';

const SECRET = 'entrepot_0123456789abcdef';
const START = Date.UTC(2026, 0, 1);

const at = (now: { value: number } = { value: START }) => new ShortTokens(SECRET, () => now.value);
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

test('a token says whose it is, to whoever has the secret', () => {
  const { value, expiresIn, issuedAt } = at().issue({ principal: 'admin', consumer: 'ci' });
  expect([expiresIn, issuedAt]).toEqual([300, START]);
  expect(at().holderOf(value)).toEqual({ principal: 'admin', consumer: 'ci' });
  expect(at().holderOf(at().issue({ principal: 'admin' }).value)).toEqual({ principal: 'admin' });
  expect(new ShortTokens(`${SECRET}x`, () => START).holderOf(value)).toBeUndefined();
});

test('its time is over after what it says, whether it was seen before or not', () => {
  const now = { value: START };
  const tokens = at(now);
  const { value } = tokens.issue({ principal: 'admin' });
  now.value = START + 299_999;
  expect(tokens.holderOf(value)).toBeDefined();
  now.value = START + 300_000;
  expect(tokens.holderOf(value)).toBeUndefined();
  expect(at(now).holderOf(value)).toBeUndefined();
});

test('not one character of it can be another', () => {
  const { value } = at().issue({ principal: 'anonymous' });
  const tokens = at();
  expect(tokens.holderOf(value)).toBeDefined();
  for (let position = 0; position < value.length - 1; position++) {
    const other = value[position] === 'A' ? 'B' : 'A';
    expect(tokens.holderOf(`${value.slice(0, position)}${other}${value.slice(position + 1)}`)).toBeUndefined();
  }
});

test.each(['', 'entrepot-short', 'entrepot-short..', 'entrepot-short.e30.', `entrepot-short.e30.${'A'.repeat(43)}`])(
  '"%s" is none',
  (token) => expect(at().holderOf(token)).toBeUndefined(),
);

test('a user name of any length and any characters fits', () => {
  const { value } = at().issue({ principal: 'admin', consumer: `a\r\nb\x00${'😀'.repeat(10_000)}` });
  expect(value.length).toBeLessThan(2000);
  expect(at().holderOf(value)?.consumer).toMatch(/^ab(😀)+/u);
});

test('who has it is the principal it was given to, but never an administrator', () => {
  const access = new Access(SECRET, 'read', { now: () => START });
  const admin = access.holderOf(SECRET);
  const { value } = access.shortToken(admin ?? { principal: '', admin: false }, 'ci');
  expect(access.principalOf(bearer(value))).toEqual({ principal: 'admin', consumer: 'ci', admin: false });
  expect(access.holderOf(value)).toBeUndefined();
});

test("nobody's token ends when nobody may read any more", () => {
  const before = new Access(SECRET, 'read');
  const { value } = before.shortToken({ principal: 'anonymous', admin: false }, undefined);
  expect(before.principalOf(bearer(value))?.principal).toBe('anonymous');
  expect(new Access(SECRET, 'none').principalOf(bearer(value))).toBeUndefined();
});
