import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SampleRelease } from '../samples/releases.ts';
import { pathsOf, seenBefore } from './rules.ts';
import { DAY, expectRefused, expectServed, Scene } from './scene.ts';
import { victims } from './victims.ts';

const END = '2126-01-01T00:00:00Z';

describe.each(victims)('$id: of two rules that contradict each other', (victim) => {
  const { format, sample } = victim;
  const week = { formats: { [format.id]: '7d' } };
  let scene: Scene;
  let old: SampleRelease;
  let young: SampleRelease;

  beforeAll(async () => {
    old = sample.release(0, { at: Date.now() - 100 * DAY });
    young = sample.release(1, { at: Date.now() - 2 * DAY });
    scene = await Scene.open(victim, [old, young]);
    await seenBefore(scene, old, young);
    await scene.listed();
  });
  afterAll(() => scene.close());

  const purl = () => `${sample.purl}@${encodeURIComponent(young.version)}`;

  type Rules = readonly (readonly [kind: string, spec: Readonly<Record<string, unknown>>])[];

  /** By which rule the young release is refused; undefined: by none. The order of their declaration makes no difference. */
  async function expectRuled(rules: Rules, by: string | undefined): Promise<void> {
    const named = rules.map(([kind, spec], at) => [kind, { name: `rule-${at}`, ...spec }] as const);
    for (const ordered of [named, named.toReversed()]) {
      for (const [kind, spec] of ordered) scene.rule(kind, spec);
      const answer = await scene.get(young.file.path);
      if (by === undefined) expectServed(answer, young.file, 'the young one');
      else expectRefused(answer, young.file, 'the young one');
      expect(answer.headers['x-entrepot-rule']).toBe(by);
      expectServed(await scene.get(old.file.path), old.file, 'the old one');
      await expectListed(by === undefined);
      for (const [kind, { name }] of ordered) scene.lift(kind, name);
    }
  }

  /** The young release, where the index itself says how old it is. */
  async function expectListed(listed: boolean): Promise<void> {
    if (format.traits.evidence !== 'index') return;
    for (const index of sample.listing) expect((await scene.index(index)).body.includes(young.mark)).toBe(listed);
  }

  test('a block holds, whatever exemptions say', async () => {
    await expectRuled(
      [
        ['block', { packages: [purl()] }],
        ['exemption', { packages: [sample.purl], expires_at: END }],
        ['cooldown', week],
      ],
      'block/rule-0',
    );
  });

  test('the strictest of several cooldowns holds', async () => {
    await expectRuled(
      [
        ['cooldown', { default: '0', packages: { [purl()]: '0' } }],
        ['cooldown', week],
      ],
      'cooldown/rule-1',
    );
  });

  test('within one cooldown what says more of the package holds', async () => {
    await expectRuled([['cooldown', { ...week, packages: { [sample.purl]: '30d', [purl()]: '0' } }]], undefined);
    await expectRuled(
      [['cooldown', { default: '0', packages: { [sample.purl]: '0', [purl()]: '7d' } }]],
      'cooldown/rule-0',
    );
  });

  test('one that only observes takes nothing from one that refuses', async () => {
    await expectRuled(
      [
        ['cooldown', { ...week, mode: 'observe' }],
        ['cooldown', week],
      ],
      'cooldown/rule-1',
    );
    await expectRuled([['cooldown', { ...week, mode: 'observe' }]], undefined);
  });

  test('an exemption lifts no other cooldown than the one it names, and no freeze', async () => {
    const lifted = ['exemption', { packages: [purl()], from: ['rule-1'], expires_at: END }] as const;
    const frozen = { before: new Date(Date.now() - 3 * DAY).toISOString(), formats: [format.id] };
    await expectRuled([lifted, ['cooldown', week]], undefined);
    await expectRuled([lifted, ['cooldown', week], ['cooldown', week]], 'cooldown/rule-2');
    await expectRuled([lifted, ['cooldown', week], ['freeze', frozen]], 'freeze/rule-2');
    const whole = ['exemption', { packages: [purl()], expires_at: END }] as const;
    await expectRuled([whole, ['cooldown', week], ['freeze', frozen]], undefined);
  });

  test('one that forbids a path holds over one that admits it', async () => {
    scene.declare({ blocklist: pathsOf(young), patterns: ['.'] });
    expectRefused(await scene.get(young.file.path), young.file, 'the young one');
    expectServed(await scene.get(old.file.path), old.file, 'the old one');
    scene.declare({});
  });
});
