import { expect, test } from 'vitest';
import type { Verdict } from './judge.ts';
import { judgePart, judgeRelease, type PartTerms } from './parts.ts';

const ADMITTED: Verdict = {};
const young = (until: number): Verdict => ({ refused: { rule: 'cooldown/week', reason: `until ${until}` }, until });
const BLOCKED: Verdict = { refused: { rule: 'block/bad', reason: 'it mines' } };
const WORST = young(1000);

/** `carriers`: by digest; `verdicts`: by version. */
function terms(
  carriers: Readonly<Record<string, readonly string[]>>,
  verdicts: Readonly<Record<string, Verdict>>,
): PartTerms & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    carriers: async (digest) => {
      asked.push(digest);
      return carriers[digest] ?? [];
    },
    judged: async (versions) => versions.map((version) => verdicts[version] ?? ADMITTED),
  };
}

const part = (worst: Verdict) => ({ name: 'team/app', digest: 'blob', worst });

test('a part may be had where one release that names it may', async () => {
  const of = terms({ blob: ['new', 'old'] }, { new: young(5), old: ADMITTED });
  expect(await judgePart(part(WORST), of)).toEqual({ verdict: ADMITTED, release: { version: 'old' } });
});

test('a part of releases that are all refused is refused as the one that is admitted first', async () => {
  const of = terms({ blob: ['a', 'b', 'c'] }, { a: young(9), b: young(5), c: BLOCKED });
  expect(await judgePart(part(WORST), of)).toEqual({ verdict: young(5), release: { version: 'b' } });
});

test('of releases that may be had, the one that may for longest counts', async () => {
  const of = terms({ blob: ['a', 'b', 'c'] }, { a: { until: 5 }, b: ADMITTED, c: { until: 7 } });
  expect(await judgePart(part(WORST), of)).toMatchObject({ release: { version: 'b' } });
});

test('what no rule could refuse is served without asking who names it', async () => {
  const of = terms({}, {});
  expect(await judgePart(part(ADMITTED), of)).toEqual({ verdict: ADMITTED });
  expect(of.asked).toEqual([]);
});

test('where nobody is known to name it, it is refused and says what to do', async () => {
  const { verdict } = await judgePart(part(WORST), terms({}, {}));
  expect(verdict).toEqual({
    refused: {
      rule: 'cooldown/week',
      reason:
        'team/app blob is part of no release that was asked for here, and cooldown/week may refuse the one that it is part of: ask for that first',
    },
  });
  expect((await judgePart(part(BLOCKED), terms({}, {}))).verdict).toBe(BLOCKED);
});

test('what a rule only observes of releases nobody knows is not put on record', async () => {
  const observed = { observed: [{ rule: 'cooldown/week', kind: 'cooldown', reason: 'too young' }] } as const;
  expect(await judgePart(part(observed), terms({}, {}))).toEqual({ verdict: {} });
  expect(await judgePart(part(observed), terms({ blob: ['a'] }, { a: observed }))).toMatchObject({ verdict: observed });
});

test('a release that is too young by itself may be had as a part of one that may, however deep', async () => {
  const of = terms({ child: ['middle'], middle: ['top'] }, { middle: young(5) });
  expect(await judgeRelease('child', young(9), of)).toEqual({ verdict: ADMITTED, release: { version: 'top' } });
  const nested = terms({ blob: ['child'], child: ['top'] }, { child: young(5) });
  expect(await judgePart(part(WORST), nested)).toEqual({ verdict: ADMITTED, release: { version: 'top' } });
});

test('a release that is blocked is no part of another that is not', async () => {
  const of = terms({ child: ['top'] }, {});
  expect(await judgeRelease('child', BLOCKED, of)).toEqual({ verdict: BLOCKED, release: { version: 'child' } });
  expect(of.asked).toEqual([]);
});

test('a release says of itself why it is refused, not of what it is part of', async () => {
  const of = terms({ child: ['top'] }, { top: young(5) });
  expect(await judgeRelease('child', young(9), of)).toEqual({ verdict: young(9), release: { version: 'child' } });
});

test('releases that name each other are not followed for ever', async () => {
  const of = terms({ a: ['b'], b: ['a'] }, { a: young(5), b: young(5) });
  expect((await judgeRelease('a', young(5), of)).verdict.refused).toBeDefined();
  expect(of.asked.length).toBeLessThan(10);
});
