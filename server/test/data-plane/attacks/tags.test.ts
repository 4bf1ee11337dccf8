import { afterEach, describe, expect, test } from 'vitest';
import type { SampleRelease } from '../samples/releases.ts';
import { askIn, MANNERS, spellingsOf } from './addresses.ts';
import { DAY, expectNothingOf, expectRefused, expectServed, Scene } from './scene.ts';
import { victims } from './victims.ts';

/** Formats of which a release is got by a name that moves. */
const tagged = victims.filter(
  ({ sample }) => sample.release(1).aliases.length > 0 && sample.indexes(sample.release(1)).length === 0,
);

let scene: Scene;

afterEach(() => scene.close());

describe.each(tagged)('$id: a tag', (victim) => {
  const { sample } = victim;

  const tagsIn = async (mount: string) => {
    const listings = await Promise.all(sample.listing.map((index) => scene.index(index, mount)));
    return listings.map(({ status, body }) => (status === 200 ? body.toString() : '')).join('');
  };

  async function expectBanned(young: SampleRelease, old: SampleRelease, served: ReadonlySet<string>): Promise<void> {
    for (const mount of scene.mounts) {
      for (const address of young.aliases.map((path) => `${mount}${path}`))
        for (const manner of MANNERS)
          expectRefused(await askIn(scene, address, manner), young.file, `${manner.name} of ${address}`);
      expect(await tagsIn(mount)).not.toContain(young.mark);
    }
    await expectNoneSpelled(young, served);
    for (const path of old.aliases) expectServed(await scene.get(path), old.file, path);
  }

  async function expectNoneSpelled({ aliases, file }: SampleRelease, served: ReadonlySet<string>): Promise<void> {
    const [mount = ''] = scene.mounts;
    for (const path of aliases.flatMap((alias) => spellingsOf(mount, alias))) {
      const answer = await scene.ask(`${mount}${path}`);
      if (served.has(path)) expectRefused(answer, file, path);
      else expect(answer.body.equals(file.bytes), path).toBe(false);
    }
  }

  test('that is banned is refused however it is asked for, and is in no list, before it was served and after', async () => {
    const [old, young] = [sample.release(0), sample.release(1)];
    scene = await Scene.open(victim, [old, young]);
    const ban = { ban_tags: [`^${young.mark.replaceAll('.', String.raw`\.`)}$`] };
    scene.declare(ban);
    await expectBanned(young, old, new Set());
    expect(scene.sent(young)).toBe(0);
    scene.declare({});
    const [mount = ''] = scene.mounts;
    const served = new Set<string>();
    for (const path of young.aliases.flatMap((alias) => [alias, ...spellingsOf(mount, alias)]))
      for (let warm = 0; warm < 3; warm++)
        if ((await scene.ask(`${mount}${path}`)).body.equals(young.file.bytes)) served.add(path);
    for (const path of young.aliases) expect(served).toContain(path);
    scene.declare(ban);
    await expectBanned(young, old, served);
  });

  test('is refused by a pattern of its own path, whatever it means', async () => {
    const young = sample.release(1);
    scene = await Scene.open(victim, [young]);
    scene.declare({ blocklist: young.aliases.map((path) => `^${path.slice(1).replaceAll('.', String.raw`\.`)}$`) });
    for (const mount of scene.mounts) {
      for (const path of young.aliases)
        expectRefused(await scene.ask(`${mount}${path}`), young.file, `${mount}${path}`);
      expectServed(await scene.ask(`${mount}${young.file.path}`), young.file, `${mount}${young.file.path}`);
    }
  });

  test('that moved does not bring what a cooldown holds: it goes on meaning what it meant, or is refused', async () => {
    const [first, second] = [sample.release(1), sample.release(1)];
    scene = await Scene.open(victim, [first]);
    scene.declare({ index_ttl: '1m' }).rule('cooldown', { name: 'week', formats: { [victim.id]: '7d' } });
    scene.plane.ahead = -10 * DAY;
    await scene.listed();
    const [tag = ''] = first.aliases;
    for (const mount of scene.mounts) expectServed(await scene.ask(`${mount}${tag}`), first.file, `${mount}${tag}`);
    scene.publish([second]);
    scene.plane.ahead = 0;
    for (let again = 0; again < 3; again++)
      for (const mount of scene.mounts) {
        expectServed(await scene.ask(`${mount}${tag}`), first.file, `${mount}${tag}`);
        expectRefused(await scene.ask(`${mount}${second.file.path}`), second.file, `${mount}${second.file.path}`);
        for (const file of second.beside)
          expectNothingOf(await scene.ask(`${mount}${file.path}`), file.bytes, file.path);
      }
    scene.plane.ahead = 7.1 * DAY;
    for (const mount of scene.mounts) expectServed(await scene.ask(`${mount}${tag}`), second.file, `${mount}${tag}`);
  });

  test('of a blocked image gives no layer of it, by its digest either; those of others are served', async () => {
    const [shared, blocked] = [sample.release(0), sample.release(1)];
    scene = await Scene.open(victim, [shared, blocked]);
    for (const { aliases, beside } of [shared, blocked])
      for (const path of [...aliases, ...beside.map((file) => file.path)]) await scene.get(path);
    scene.rule('block', { name: 'bad', packages: [`${sample.purl}@${encodeURIComponent(blocked.version)}`] });
    for (const mount of scene.mounts) {
      for (const file of blocked.beside)
        expectRefused(await scene.ask(`${mount}${file.path}`), file, `${mount}${file.path}`);
      for (const file of shared.beside)
        expectServed(await scene.ask(`${mount}${file.path}`), file, `${mount}${file.path}`);
    }
  });
});
