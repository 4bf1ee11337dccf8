import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formats } from '../formats/all.ts';
import { decide } from './decide.ts';
import type { Candidate } from './decision.ts';
import { horizon } from './horizon.ts';
import { parsePattern, type VersionOrders } from './package-pattern.ts';
import type { Block, Cooldown, Exemption, Freeze, Policy } from './policy.ts';

const ORDERS: VersionOrders = new Map(formats.map(({ traits, versions }) => [traits.purl, versions]));
const npm = formats.find(({ id }) => id === 'npm')?.versions;
const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 0, 10);

/** Few values, so that rules meet each other: whole hours around now. */
const hours = fc.integer({ min: -60, max: 30 }).map((count) => NOW + count * HOUR);
const time = fc.oneof(
  { weight: 8, arbitrary: hours },
  fc.constantFrom(0, -1, Number.NaN, 1e300, Number.POSITIVE_INFINITY),
);
/** The API takes no freeze of the future. */
const past = fc.integer({ min: 0, max: 60 }).map((count) => NOW - count * HOUR);
const age = fc.integer({ min: 0, max: 48 }).map((count) => count * HOUR);
const pattern = fc
  .constantFrom('a', 'b', 'a@1.0.0', 'a?vers=vers:npm/<2', 'a*', '*', '*b', '*?vers=vers:npm/>=1|<3')
  .map((text) => parsePattern(`pkg:npm/${text}`, ORDERS));
const patterns = fc.array(pattern, { minLength: 1, maxLength: 3 });
const name = fc.constantFrom('one', 'two', 'three');
const optional = <Key extends string, Value>(key: Key, value: fc.Arbitrary<Value>) =>
  fc
    .option(value, { nil: undefined })
    .map((given) => (given === undefined ? {} : { [key]: given }) as { [key in Key]?: Value });
const joined = <One extends object, Other extends object>(one: fc.Arbitrary<One>, other: fc.Arbitrary<Other>) =>
  fc.tuple(one, other).map(([left, right]): One & Other => ({ ...left, ...right }));
const repositories = optional('repositories', fc.constantFrom(['npm'], ['member'], ['elsewhere']));

const block: fc.Arbitrary<Block> = fc.record({ name, packages: patterns });
const freeze: fc.Arbitrary<Freeze> = joined(
  joined(fc.record({ name, before: past }), optional('expiresAt', hours)),
  fc.oneof(repositories, optional('formats', fc.constantFrom(['npm'], ['pypi']))),
);
const cooldown: fc.Arbitrary<Cooldown> = joined(
  joined(
    fc.record({
      name,
      formats: fc.oneof(fc.constant({}), fc.record({ npm: age })),
      packages: fc.array(fc.record({ pattern, age }), { maxLength: 3 }),
      mode: fc.constantFrom('enforce' as const, 'observe' as const),
      unknownAge: fc.constantFrom('withhold' as const, 'allow' as const),
      authorTimes: fc.constantFrom('baseline' as const, 'never' as const),
    }),
    optional('otherwise', age),
  ),
  repositories,
);
const exemption: fc.Arbitrary<Exemption> = joined(
  fc.record({ name, packages: patterns, expiresAt: hours }),
  optional('from', fc.constantFrom(['one'], ['two', 'three'])),
);
const some = <Rule>(rule: fc.Arbitrary<Rule>) => fc.array(rule, { maxLength: 3 });
const policy: fc.Arbitrary<Policy> = fc.record({
  blocks: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, some(block)),
  freezes: some(freeze),
  cooldowns: some(cooldown),
  exemptions: some(exemption),
});
const evidenceOf = (when: fc.Arbitrary<number>) =>
  joined(
    joined(
      optional('index', fc.record({ at: when, by: fc.constantFrom('server' as const, 'author' as const) })),
      optional('lastModified', when),
    ),
    optional('firstSeen', fc.record({ at: when, baseline: fc.boolean() })),
  );
const candidateOf = (when: fc.Arbitrary<number>): fc.Arbitrary<Candidate> =>
  fc
    .record({
      name: fc.constantFrom('a', 'b', 'ab'),
      version: fc.constantFrom('1.0.0', '2.0.0', 'nonsense', undefined),
      dated: fc.constantFrom('index' as const, 'last_modified' as const, 'author' as const, 'none' as const),
      evidence: evidenceOf(when),
    })
    .map(({ name: of, version, dated, evidence: known }) => ({
      format: 'npm',
      dated,
      repositories: ['npm', 'member'],
      package: { type: 'npm', name: of, version },
      ...(npm && { versions: npm }),
      path: 'x.tgz',
      evidence: known,
    }));
const candidate = candidateOf(time);

const RUNS = { numRuns: 1000 };

test('another block, freeze or cooldown never admits more', () => {
  const more = fc.record({ blocks: some(block), freezes: some(freeze), cooldowns: some(cooldown) });
  fc.assert(
    fc.property(candidate, policy, more, (asked, rules, added) => {
      const stricter: Policy = {
        blocks: [...rules.blocks, ...added.blocks],
        freezes: [...added.freezes, ...rules.freezes],
        cooldowns: [...added.cooldowns, ...rules.cooldowns],
        exemptions: rules.exemptions,
      };
      fc.pre(!decide(asked, rules, NOW).allowed);
      expect(decide(asked, stricter, NOW).allowed).toBe(false);
    }),
    RUNS,
  );
});

test('an exemption only lifts, and never a block', () => {
  fc.assert(
    fc.property(candidate, policy, exemption, (asked, rules, added) => {
      const before = decide(asked, rules, NOW);
      const after = decide(asked, { ...rules, exemptions: [...rules.exemptions, added] }, NOW);
      if (before.allowed) expect(after.allowed).toBe(true);
      else if (before.kind === 'block') expect(after).toEqual(before);
      else if (added.expiresAt <= NOW) expect(after.allowed).toBe(false);
    }),
    RUNS,
  );
});

test('a decision holds until its time, and one without a time for ever', () => {
  const later = fc.integer({ min: 1, max: 200 }).map((count) => count * HOUR - 1);
  fc.assert(
    fc.property(candidate, policy, later, (asked, rules, passed) => {
      const decision = decide(asked, rules, NOW);
      const until = decision.until ?? Number.POSITIVE_INFINITY;
      expect(until).toBeGreaterThan(NOW);
      fc.pre(NOW + passed < until);
      expect(decide(asked, rules, NOW + passed).allowed).toBe(decision.allowed);
    }),
    RUNS,
  );
});

test('what is refused by a cooldown alone is admitted when it says so', () => {
  fc.assert(
    fc.property(candidateOf(past), fc.array(cooldown, { minLength: 1, maxLength: 4 }), (asked, cooldowns) => {
      const rules: Policy = { blocks: [], freezes: [], cooldowns, exemptions: [] };
      const refused = decide(asked, rules, NOW);
      fc.pre(!refused.allowed && refused.until !== undefined);
      expect(decide(asked, rules, (refused.until ?? 0) - 1).allowed).toBe(false);
      expect(decide(asked, rules, refused.until ?? 0).allowed).toBe(true);
    }),
    RUNS,
  );
});

test('the order in which rules were declared makes no difference, nor does what was asked before', () => {
  fc.assert(
    fc.property(candidate, policy, (asked, rules) => {
      const { blocks, freezes, cooldowns, exemptions } = rules;
      const turned = {
        blocks: blocks.toReversed(),
        freezes: freezes.toReversed(),
        cooldowns: cooldowns.toReversed(),
        exemptions: exemptions.toReversed(),
      };
      const decision = decide(asked, rules, NOW);
      expect(decide(asked, rules, NOW)).toEqual(decision);
      const other = decide(asked, turned, NOW);
      expect([other.allowed, other.until]).toEqual([decision.allowed, decision.until]);
    }),
    RUNS,
  );
});

test('a policy that has crossed to another thread decides the same', () => {
  fc.assert(
    fc.property(candidate, policy, (asked, rules) => {
      expect(decide(asked, structuredClone(rules), NOW)).toEqual(decide(asked, rules, NOW));
    }),
  );
});

test('what only observes, and what names other repositories, makes no difference to what is admitted', () => {
  fc.assert(
    fc.property(candidate, policy, some(cooldown), (asked, rules, added) => {
      const idle = added.map((each, at) =>
        at % 2 === 0 ? { ...each, mode: 'observe' as const } : { ...each, repositories: ['elsewhere'] },
      );
      const both = decide(asked, { ...rules, cooldowns: [...rules.cooldowns, ...idle] }, NOW);
      expect(both.allowed).toBe(decide(asked, rules, NOW).allowed);
    }),
    RUNS,
  );
});

test('what became public before the horizon is refused by blocks alone, and stays so; without one no age matters', () => {
  fc.assert(
    fc.property(candidate, policy, time, fc.integer({ min: 1, max: 100 }), (one, rules, other, earlier) => {
      if (one.dated === 'none' || one.firstParty) return;
      const bound = horizon(one, rules, NOW);
      if (bound === undefined) {
        const dated = decide({ ...one, evidence: { index: { at: other, by: 'server' } } }, rules, NOW);
        expect(dated.allowed).toBe(decide({ ...one, evidence: {} }, rules, NOW).allowed);
        return;
      }
      const old: Candidate = { ...one, evidence: { index: { at: bound - earlier * HOUR, by: 'server' } } };
      for (const now of [NOW, NOW + 5 * HOUR]) {
        const decision = decide(old, rules, now);
        if (!decision.allowed) expect(decision.kind).toBe('block');
        expect(decision.observed ?? []).toEqual([]);
      }
    }),
  );
});
