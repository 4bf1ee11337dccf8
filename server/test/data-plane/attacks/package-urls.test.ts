import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SampleRelease } from '../samples/releases.ts';
import { seenBefore } from './rules.ts';
import { DAY, expectRefused, expectServed, Scene } from './scene.ts';
import { victims } from './victims.ts';

const END = '2126-01-01T00:00:00Z';

/** A version with every character escaped that may be. */
const escaped = (version: string) =>
  [...version].map((each) => (/\w/.test(each) ? each : `%${each.charCodeAt(0).toString(16)}`)).join('');

describe.each(victims)('$id: a package URL', (victim) => {
  const { format, sample } = victim;
  const spellings = [sample.purl, ...sample.same];
  let scene: Scene;
  let old: SampleRelease;
  let young: SampleRelease;

  beforeAll(async () => {
    old = sample.release(0, { at: Date.now() - 100 * DAY });
    young = sample.release(1, { at: Date.now() - 2 * DAY });
    scene = await Scene.open(victim, [old, young]);
    if (format.traits.evidence === 'none') await seenBefore(scene, old, young);
    await scene.listed();
  });
  afterAll(() => scene.close());

  const addressesOf = ({ file, aliases }: SampleRelease) => [file.path, ...aliases];

  async function expectAll(release: SampleRelease, refused: boolean, what: string): Promise<void> {
    for (const path of addressesOf(release)) {
      const answer = await scene.get(path);
      if (refused) expectRefused(answer, release.file, `${path} with ${what}`);
      else expectServed(answer, release.file, `${path} with ${what}`);
    }
  }

  test('written in any way blocks the same release, and no other', async () => {
    for (const purl of spellings)
      for (const version of [encodeURIComponent(young.version), escaped(young.version)]) {
        const packages = [`${purl}@${version}`];
        scene.rule('block', { name: 'spelled', packages });
        await expectAll(young, true, packages[0] as string);
        await expectAll(old, false, packages[0] as string);
      }
    scene.lift('block', 'spelled');
  });

  test('written in any way blocks all of a package', async () => {
    for (const purl of [...spellings, purlWithWildcard(sample.purl)]) {
      scene.rule('block', { name: 'spelled', packages: [purl] });
      await expectAll(young, true, purl);
      await expectAll(old, true, purl);
    }
    scene.lift('block', 'spelled');
  });

  test('of another package does nothing to it', async () => {
    for (const purl of sample.others) {
      scene.rule('block', { name: 'spelled', packages: [purl] });
      await expectAll(young, false, purl);
      await expectAll(old, false, purl);
    }
    scene.lift('block', 'spelled');
  });

  test('written in any way lifts a cooldown from the same release, and no other', async () => {
    const isHeldByName = format.traits.evidence === 'none';
    const age = isHeldByName ? { formats: { [format.id]: '1000d' } } : { default: '1000d' };
    // Of what stood in the first listing nobody knows more than that.
    scene.rule('cooldown', { name: 'ages', ...age });
    for (const purl of spellings) {
      const packages = [`${purl}@${escaped(young.version)}`];
      scene.rule('exemption', { name: 'spelled', packages, expires_at: END });
      await expectAll(young, false, packages[0] as string);
      await expectAll(old, !isHeldByName, packages[0] as string);
      scene.lift('exemption', 'spelled');
      await expectAll(young, true, `no exemption after ${packages}`);
    }
    const others = [...sample.others, `${sample.purl}@${escaped(old.version)}`, `${sample.purl}@0`];
    for (const purl of others) {
      scene.rule('exemption', { name: 'spelled', packages: [purl], expires_at: END });
      await expectAll(young, true, purl);
    }
    scene.lift('exemption', 'spelled').lift('cooldown', 'ages');
  });

  test('of a package says which cooldown holds, however it is written', async () => {
    for (const purl of spellings) {
      scene.rule('cooldown', { name: 'ages', formats: { [format.id]: '7d' }, packages: { [purl]: '0' } });
      await expectAll(young, false, purl);
      scene.rule('cooldown', { name: 'ages', default: '0', packages: { [purl]: '7d' } });
      await expectAll(young, true, purl);
    }
    scene.lift('cooldown', 'ages');
    await expectAll(young, false, 'no rule');
    expect(scene.plane.logged.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

/** `pkg:npm/%40acme/widget` → `pkg:npm/%40acme/w*`. */
function purlWithWildcard(purl: string): string {
  return purl.replace(/(?<=[/-])([a-z])[a-z]+$/, '$1*');
}
