import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { publish } from '../support/npm-package.ts';
import { Plane } from '../support/plane.ts';

const DAY = 86_400_000;
const DECISION = / Decision [0-9a-f-]{36}\./;
const EXEMPTION = 'For an exemption ask whoever runs this registry; more: entrepot explain pkg:npm/lodash';
/** To the second. */
const now = Math.floor(Date.now() / 1000) * 1000;
const ago = (days: number) => new Date(now - days * DAY).toISOString();

let upstream: FakeUpstream;
let plane: Plane;

beforeEach(async () => {
  upstream = await FakeUpstream.start();
  plane = await Plane.start();
  plane.remote('npm-public', 'npm', upstream.url, { index_ttl: '1s' }).virtual('npm', 'npm', ['npm-public']);
  const release = (version: string, days: number) => ({ version, tarball: randomBytes(200), at: ago(days) });
  publish(upstream, 'lodash', [release('1.0.0', 100), release('1.1.0', 40), release('1.2.0', 2), release('2.0.0', 1)]);
});
afterEach(async () => {
  await plane.stop();
  await upstream.stop();
});

interface Told {
  readonly status: number;
  readonly line: string;
  readonly body: string;
  readonly header: (name: string) => string | null;
}

async function told(path: string, method = 'GET'): Promise<Told> {
  const response = await plane.get(path, {}, method);
  const text = await response.text();
  const { status, statusText: line, headers } = response;
  return { status, line, body: text === '' ? '' : JSON.parse(text).error, header: (name) => headers.get(name) };
}

const file = (version: string) => `/npm/lodash/-/lodash-${version}.tgz`;
/** As it is written in a sentence: the first whole minute that is not before it. */
const minute = (at: number) => new Date(Math.ceil(at / 60_000) * 60_000).toISOString().slice(0, 16).replace('T', ' ');

describe('a file in cooldown', () => {
  beforeEach(() => plane.rule('cooldown', { name: 'week', default: '7d' }));

  test('is refused with what, why, by whose word, until when, what to use instead and whom to ask', async () => {
    const { status, line, body, header } = await told(file('1.2.0'));
    const [published, lifts] = [minute(now - 2 * DAY), minute(now + 5 * DAY)];
    const says = [
      `lodash 1.2.0 was published 2 days ago; the cooldown "week" admits it from ${lifts} UTC.`,
      `Its index dates it ${published} UTC.`,
      'Nearest admissible version: 1.1.0.',
      `${EXEMPTION}@1.2.0`,
    ].join(' ');
    expect(status).toBe(403);
    expect(body).toMatch(DECISION);
    expect(body.replace(DECISION, '')).toBe(says);
    expect(header('x-entrepot-reason')).toBe(body);
    expect(line).toBe(says);
    expect(header('x-entrepot-rule')).toBe('cooldown/week');
    expect(header('x-entrepot-nearest')).toBe('1.1.0');
    expect(header('x-entrepot-until')).toBe(new Date(now + 5 * DAY).toISOString());
    expect(body).toContain(header('x-entrepot-decision'));
  });

  test('is refused at HEAD with the same status line and headers', async () => {
    const { status, line, body, header } = await told(file('1.2.0'), 'HEAD');
    expect([status, body]).toEqual([403, '']);
    expect(line).toContain('Nearest admissible version: 1.1.0.');
    expect(header('x-entrepot-nearest')).toBe('1.1.0');
  });

  test('is refused without a further question to the upstream', async () => {
    await told('/npm/lodash');
    plane.ahead += DAY / 100;
    const asked = upstream.requests.length;
    expect((await told(file('1.2.0'))).header('x-entrepot-nearest')).toBe('1.1.0');
    expect(upstream.requests.length).toBe(asked);
  });

  test('another is suggested as soon as it may be used', async () => {
    expect((await told(file('2.0.0'))).header('x-entrepot-nearest')).toBe('1.1.0');
    plane.ahead += 5.5 * DAY;
    expect((await told(file('2.0.0'))).header('x-entrepot-nearest')).toBe('1.2.0');
  });

  test('another rule makes another suggestion at once', async () => {
    expect((await told(file('2.0.0'))).header('x-entrepot-nearest')).toBe('1.1.0');
    plane.rule('block', { name: 'bad', packages: ['pkg:npm/lodash@1.1.0'] });
    expect((await told(file('2.0.0'))).header('x-entrepot-nearest')).toBe('1.0.0');
  });

  test('is refused at the view of its version with the same words', async () => {
    const { body, header } = await told('/npm/lodash/2.0.0');
    expect(body).toContain('lodash 2.0.0 was published 24 hours ago');
    expect(header('x-entrepot-until')).toBe(new Date(now + 6 * DAY).toISOString());
    expect(header('x-entrepot-nearest')).toBe('1.1.0');
  });
});

test('a package of which nothing is admissible says which release will be first, and when', async () => {
  plane.rule('cooldown', { name: 'decade', default: '3650d' });
  const { status, body, line, header } = await told('/npm/lodash');
  expect(status).toBe(403);
  const first =
    'all 4 releases of lodash are withheld; the first to be admitted: lodash 1.0.0 was published 100 days ago';
  expect(body).toContain(`${first}; the cooldown "decade" admits it from ${minute(now + 3550 * DAY)} UTC.`);
  expect(line).toContain(first);
  expect(header('x-entrepot-until')).toBe(new Date(now + 3550 * DAY).toISOString());
  expect(header('x-entrepot-nearest')).toBeNull();
});

test('a block says why in the words of whoever declared it, and that nothing lifts it', async () => {
  const rule = {
    name: 'wallets',
    packages: ['pkg:npm/lodash@2.0.0'],
    reason: 'It steals wallets',
    url: 'https://x.test/1',
  };
  plane.rule('block', rule);
  const { body, line } = await told(file('2.0.0'));
  const says =
    'lodash 2.0.0 is blocked by "wallets": It steals wallets (https://x.test/1). Nearest admissible version: 1.2.0.';
  const help = 'No exemption lifts this: ask whoever runs this registry; more: entrepot explain pkg:npm/lodash@2.0.0';
  expect(line).toBe(`${says} ${help}`);
  expect(body.replace(DECISION, '')).toBe(`${says} ${help}`);
});

test('a package that is blocked as a whole names no version to look up', async () => {
  plane.remote('npm-public', 'npm', upstream.url, { blocklist: ['^lodash$'] });
  const { line } = await told('/npm/lodash');
  const says = 'lodash is on the blocklist of "npm-public" (^lodash$).';
  expect(line).toBe(`${says} No exemption lifts this: ask whoever runs this registry.`);
});

test('whoever runs the server says whom to ask', async () => {
  await plane.stop();
  plane = await Plane.start({ refusalHelp: 'Ask in #builds for {purl}: https://wiki.test/exemptions' });
  plane.remote('npm', 'npm', upstream.url).rule('cooldown', { name: 'week', default: '7d' });
  const { body } = await told(file('2.0.0'));
  expect(body).toMatch(/ Ask in #builds for pkg:npm\/lodash@2\.0\.0: https:\/\/wiki\.test\/exemptions$/);
});

test('a reason of any length and in any script is one line of ASCII in the status line', async () => {
  const reason = `it steals wallets ${'very quickly '.repeat(60)}\u20ac`;
  plane.rule('block', { name: 'wallets', packages: ['pkg:npm/lodash@2.0.0'], reason });
  const { line, header, body } = await told(file('2.0.0'));
  expect(line).toMatch(/^lodash 2\.0\.0 is blocked by "wallets": it steals wallets [\x20-\x7e]{0,310}$/);
  expect(header('x-entrepot-reason')).toMatch(/^[\x20-\x7e]{1,1500}$/);
  expect(body).toContain('Nearest admissible version: 1.2.0.');
});
