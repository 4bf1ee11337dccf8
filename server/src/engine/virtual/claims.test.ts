import { describe, expect, test } from 'vitest';
import { isClaimed, parseClaim } from './claim-pattern.ts';
import { type Claiming, Claims, claimOf } from './claims.ts';

const repository = (
  kind: Claiming['kind'],
  name: string,
  given: Partial<Pick<Claiming, 'members' | 'claims' | 'type'>> = {},
): Claiming => ({ kind, name, type: 'npm', members: [], claims: [], ...given });

describe('a pattern', () => {
  test.each([
    ['npm', '@acme/*', ['@acme/app', '@ACME/App', '@acme/a/b'], ['@acme-evil/app', 'acme', '@acmes/app']],
    ['npm', 'acme-*', ['acme-tool', 'Acme-Tool'], ['acme', 'my-acme-tool']],
    ['npm', 'exact', ['exact'], ['exactly', 'inexact']],
    ['pypi', 'Acme_*', ['acme-tool', 'acme.tool', 'ACME__tool'], ['acmetool']],
    ['cargo', 'acme-*', ['acme_core', 'Acme-core'], ['acmecore']],
    ['golang', 'git.acme.test/*', ['git.acme.test/Team/lib', 'git.acme.test/x/v2'], ['git.acme.tests/x']],
    [
      'maven',
      'com.acme:*',
      ['com.acme/widget', 'com.Acme/Widget', 'com.acme/'],
      ['com.acme.sub/widget', 'com.acmes/x'],
    ],
    ['maven', 'com.acme.*', ['com.acme.sub/widget'], ['com.acme/widget']],
    ['oci', 'acme/*', ['acme/app', 'acme/team/app'], ['acmes/app', 'team/acme/app']],
    ['generic', 'releases/*.zip', ['releases/a/b.zip'], ['releases/a.zip.asc']],
  ])('of %s, %s', (type, text, those, others) => {
    const pattern = parseClaim(text, type);
    expect(those.filter((name) => !isClaimed(name, type, [pattern]))).toEqual([]);
    expect(others.filter((name) => isClaimed(name, type, [pattern]))).toEqual([]);
  });
});

describe('a name', () => {
  const claims = new Claims([
    repository('hosted', 'own'),
    repository('hosted', 'deep'),
    repository('remote', 'mirror', { claims: ['@mirror/*', '@both/*'] }),
    repository('remote', 'public'),
    repository('virtual', 'team', { members: ['deep', 'public'], claims: ['@team/*'] }),
    repository('virtual', 'all', { members: ['own', 'team', 'mirror', 'public'], claims: ['@acme/*', '@both/*'] }),
    repository('virtual', 'open', { members: ['public'] }),
    repository('remote', 'alone', { claims: ['@acme/*'] }),
  ]);
  const owners = (name: string) =>
    ['own', 'deep', 'mirror', 'public', 'alone'].filter((each) => claims.against(each, name).length === 0);

  test.each([
    ['@acme/app', 'of hosted members, also of those deeper in', ['own', 'deep', 'alone']],
    ['@both/app', 'of those and of the remote that claims it', ['own', 'deep', 'mirror', 'alone']],
    ['@mirror/app', 'that only a remote claims is that one’s', ['mirror', 'alone']],
    ['@team/app', 'that only a virtual inside claims is its hosted members’', ['deep', 'alone']],
    ['lodash', 'that nobody claims is anybody’s', ['own', 'deep', 'mirror', 'public', 'alone']],
  ])('%s: %s', (name, _, expected) => expect(owners(name)).toEqual(expected));

  test('that is refused says by which claim, and who owns it', () => {
    expect(claims.against('public', '@mirror/app')).toEqual([
      { rule: 'remote/mirror.claims', pattern: '@mirror/*', virtual: 'all', owners: ['mirror'] },
    ]);
    expect(claims.against('public', '@team/app')).toMatchObject([
      { virtual: 'team', rule: 'virtual/team.claims', owners: ['deep'] },
      { virtual: 'all', rule: 'virtual/team.claims', owners: ['deep'] },
    ]);
  });

  test('is as good as published here where a remote claims it itself', () => {
    expect([claims.isOwn('mirror', '@mirror/app'), claims.isOwn('mirror', '@acme/app')]).toEqual([true, false]);
    expect([claims.isOwn('public', '@mirror/app'), claims.isOwn('alone', '@ACME/app')]).toEqual([false, true]);
  });

  test('is judged in another thread by the same data', () => {
    const foreign = structuredClone(claims.foreignTo('public'));
    expect(foreign.some((one) => claimOf(one, '@acme/app'))).toBe(true);
    expect(foreign.some((one) => claimOf(one, 'lodash'))).toBe(false);
  });
});

test('configurations that own names alike are known by it', () => {
  const one = [repository('remote', 'public'), repository('virtual', 'all', { members: ['public'], claims: ['@a/*'] })];
  expect(new Claims(one).id).toBe(new Claims(structuredClone(one)).id);
  expect(new Claims(one).id).not.toBe(new Claims([repository('remote', 'public')]).id);
  expect(new Claims([repository('remote', 'public')]).id).toBe('');
});

test('a circle of virtuals does not hang what would refuse it', () => {
  const circle = [
    repository('virtual', 'a', { members: ['b', 'leaf'], claims: ['x*'] }),
    repository('virtual', 'b', { members: ['a'] }),
    repository('remote', 'leaf'),
  ];
  expect(new Claims(circle).against('leaf', 'xyz')).not.toEqual([]);
});
