import { expect, test } from 'vitest';
import { compile } from './compiled.ts';
import { decide } from './decide.ts';
import { cooldown, DAY, exemption, freeze, lodash, NOW, policy, server, WEEK } from './fixtures.ts';
import type { Cooldown } from './policy.ts';

test('a policy is made ready once', () => {
  expect(compile(WEEK)).toBe(compile(WEEK));
  expect(compile({ ...WEEK })).not.toBe(compile(WEEK));
});

test('repositories whose names run together are not taken for one another', () => {
  const rules = policy({ cooldowns: [cooldown({ otherwise: 7 * DAY, repositories: ['a'] })] });
  expect(decide(lodash({ repositories: ['a', 'bc'] }), rules, NOW).allowed).toBe(false);
  expect(decide(lodash({ repositories: ['ab', 'c'] }), rules, NOW).allowed).toBe(true);
});

test('a thousand cooldowns cost a decision no more than the strictest of them, whether it refuses or admits', () => {
  let heard = 0;
  const counted = (rule: Cooldown): Cooldown =>
    Object.defineProperty({ ...rule }, 'authorTimes', {
      get: () => {
        heard += 1;
        return 'baseline';
      },
    });
  const cooldowns = Array.from({ length: 1000 }, (_, at) =>
    counted(cooldown({ name: `c${at}`, otherwise: DAY + at, unknownAge: 'allow' })),
  );
  const rules = policy({ cooldowns });
  decide(lodash(), rules, NOW);
  for (const [age, allowed] of [
    [2 * DAY, true],
    [DAY, false],
  ] as const) {
    heard = 0;
    expect(decide(lodash({ evidence: server(age) }), rules, NOW).allowed).toBe(allowed);
    expect(heard).toBe(1);
  }
  heard = 0;
  expect(decide(lodash({ evidence: {} }), rules, NOW).allowed).toBe(true);
  expect(heard).toBe(1);
});

test('evidence is weighed once, however many rules ask for it', () => {
  let weighed = 0;
  const candidate = Object.defineProperty({ ...lodash() }, 'evidence', {
    get: () => {
      weighed += 1;
      return server(2 * DAY);
    },
  });
  const rules = policy({
    freezes: [freeze('2026-11-20T00:00:00Z')],
    cooldowns: [cooldown({ otherwise: 7 * DAY }), cooldown({ name: 'own', packages: { 'pkg:npm/lodash': DAY } })],
    exemptions: [exemption(['pkg:npm/lodash'])],
  });
  expect(decide(candidate, rules, NOW).allowed).toBe(true);
  expect(weighed).toBe(1);
});
