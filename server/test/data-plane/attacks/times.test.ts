import { afterEach, describe, expect, test } from 'vitest';
import type { SampleRelease, When } from '../samples/releases.ts';
import { cooldownOf, seenBefore } from './rules.ts';
import { DAY, expectNothingOf, expectRefused, expectServed, Scene } from './scene.ts';
import { type Victim, victims } from './victims.ts';

const HOUR = DAY / 24;
const ago = (days: number) => Date.now() - days * DAY;

let scene: Scene;

afterEach(() => scene.close());

async function open(victim: Victim, releases: readonly SampleRelease[]): Promise<void> {
  scene = await Scene.open(victim, releases);
  // Indexes are asked for again in every test that goes on in time.
  scene.declare({ index_ttl: '1m', artifact_ttl: '1h' });
}

const mounts = () => scene.mounts.slice(0, 3);

/** No byte of it, and no document that names it. */
async function expectHeld(release: SampleRelease, what: string): Promise<void> {
  const { sample } = scene.victim;
  for (const mount of mounts()) {
    for (const path of [release.file.path, ...release.aliases])
      expectRefused(await scene.ask(`${mount}${path}`), release.file, `${mount}${path}, ${what}`);
    for (const file of release.beside)
      expectRefused(await scene.ask(`${mount}${file.path}`), file, `${mount}${file.path}, ${what}`);
    for (const index of sample.indexes(release)) {
      const { status, body } = await scene.index(index, mount);
      if (status === 200) expect(body.toString(), `${mount}${index.path}, ${what}`).not.toContain(release.mark);
    }
  }
}

async function expectGiven(release: SampleRelease, what: string): Promise<void> {
  for (const file of [release.file, ...release.beside])
    expectServed(await scene.get(file.path), file, `${file.path}, ${what}`);
}

const dated = victims.filter(({ format }) => format.traits.evidence !== 'none');

describe.each(dated)('$id: a release whose time is', (victim) => {
  const { sample } = victim;

  test.each<[string, When]>([
    ['in the future', { at: Date.now() + 300 * DAY }],
    ['at the epoch', { at: 0 }],
    ['a day after the epoch', { at: DAY }],
    ['not given', {}],
  ])('%s is withheld, unless the unknown is allowed', async (what, when) => {
    const old = sample.release(0, { at: ago(100) });
    const odd = sample.release(1, when);
    await open(victim, [old, odd]);
    scene.rule('cooldown', cooldownOf(victim));
    await expectHeld(odd, what);
    await expectGiven(old, what);
    scene.rule('cooldown', { ...cooldownOf(victim), unknown_age: 'allow' });
    await expectGiven(odd, what);
    scene.rule('freeze', { name: 'frozen', before: new Date(ago(50)).toISOString() });
    await expectHeld(odd, `${what}, with a freeze`);
    await expectGiven(old, `${what}, with a freeze`);
  });

  test('in the future counts from then on', async () => {
    const soon = sample.release(1, { at: Date.now() + DAY });
    await open(victim, [soon]);
    scene.rule('cooldown', cooldownOf(victim));
    await expectHeld(soon, 'before it');
    scene.plane.ahead = 7.9 * DAY;
    await expectHeld(soon, 'within the cooldown');
    scene.plane.ahead = 8.1 * DAY;
    await expectGiven(soon, 'after it');
  });

  test('that of a moment ago comes of age by itself, to the second', async () => {
    const now = Math.floor(Date.now() / 1000) * 1000;
    const young = sample.release(1, { at: now });
    await open(victim, [sample.release(0, { at: ago(100) }), young]);
    scene.rule('cooldown', cooldownOf(victim));
    for (let warm = 0; warm < 3; warm++) await expectHeld(young, 'at once');
    scene.plane.ahead = 7 * DAY - 60_000;
    await expectHeld(young, 'a minute before');
    scene.plane.ahead = 7 * DAY + 1000;
    await expectGiven(young, 'a second after');
  });
});

const indexed = victims.filter(({ format }) => format.traits.evidence === 'index');

describe.each(indexed)('$id: a release whose time moves', (victim) => {
  const { sample } = victim;

  test.each<[string, number, number]>([
    ['later', 100, 2],
    ['earlier', 2, 100],
  ])('to an %s one is in every document as its file is served', async (_what, first, then) => {
    const old = sample.release(0, { at: ago(200) });
    const moved = sample.release(1, { at: ago(first) });
    await open(victim, [old, moved]);
    scene.rule('cooldown', cooldownOf(victim));
    await expectAgreed(moved, first);
    scene.publish([old, { ...moved, at: ago(then) }]);
    scene.plane.ahead = HOUR;
    await expectAgreed(moved, then);
  });
});

/** Days of age: every document and every file say what these mean. */
async function expectAgreed(release: SampleRelease, days: number): Promise<void> {
  const { sample } = scene.victim;
  for (const mount of mounts()) for (const index of sample.indexes(release)) await scene.index(index, mount);
  if (days < 7) await expectHeld(release, `${days} days old`);
  else await expectGiven(release, `${days} days old`);
  for (const mount of mounts()) {
    const listings = await Promise.all(sample.listing.map((index) => scene.index(index, mount)));
    for (const { body } of listings) expect(body.includes(release.mark), mount).toBe(days >= 7);
  }
}

describe.each(victims)('$id: a release', (victim) => {
  const { format, sample } = victim;

  test('that was deleted and published again with other bytes is not served for the one it was', async () => {
    const old = sample.release(0, { at: ago(200) });
    const first = sample.release(1, { at: ago(100) });
    const second = sample.release(1, { at: ago(1) });
    await open(victim, [old, first]);
    await scene.listed();
    await expectGiven(first, 'at first');
    for (const path of first.aliases) expectServed(await scene.get(path), first.file, path);
    takeBack(old, first);
    scene.plane.ahead += 2 * HOUR;
    await expectNotFor(first, second);
    scene.publish([old, second]);
    scene.plane.ahead += 2 * HOUR;
    await expectNotFor(first, second);
    scene.rule('cooldown', cooldownOf(victim));
    scene.plane.ahead += 2 * HOUR;
    await expectNotFor(first, second);
    // What a tag names may move, if no cooldown holds what it moved to.
    await expectNotFor({ ...first, aliases: [first.file.path, ...first.aliases] }, second);
  });

  /** The upstream has the old release alone. */
  function takeBack(old: SampleRelease, { file, beside, aliases }: SampleRelease): void {
    scene.publish([old]);
    const paths = [
      ...[file, ...beside].map(({ upstream }) => upstream),
      ...aliases.map((path) => `/${format.traits.root}${path}`),
    ];
    for (const path of paths) scene.upstream.respond(path, { status: 404 });
  }

  /** Wherever the one was, the other is not. */
  async function expectNotFor(first: SampleRelease, second: SampleRelease): Promise<void> {
    const paths = first.aliases.includes(first.file.path) ? first.aliases : [first.file.path];
    for (const mount of mounts())
      for (const path of paths) {
        const { body } = await scene.ask(`${mount}${path}`);
        expect(body.equals(second.file.bytes), `${mount}${path}`).toBe(false);
      }
  }

  test('that its author has backdated is as old as its first sight', async () => {
    const old = sample.release(0, { authored: ago(100), at: ago(100) });
    const backdated = sample.release(1, { authored: ago(99) });
    await open(victim, [old]);
    scene.rule('cooldown', cooldownOf(victim));
    await seenBefore(scene, old, backdated);
    for (const listing of sample.listing) await scene.index(listing);
    await expectHeld(backdated, 'at first sight');
    await expectGiven(old, 'at first sight');
    scene.plane.ahead = 6.9 * DAY;
    await expectHeld(backdated, 'in the cooldown');
  });
});

const authored = victims.filter(({ sample }) => sample.believesAuthors);

describe.each(authored)('$id: the time of an author', (victim) => {
  const { sample } = victim;

  test('counts for what stood in the first listing; what came later counts from its first sight', async () => {
    const old = sample.release(0, { authored: ago(100) });
    const later = sample.release(1, { authored: ago(99) });
    await open(victim, [old]);
    scene.rule('cooldown', cooldownOf(victim));
    await scene.listed();
    await expectGiven(old, 'in the first listing');
    scene.publish([old, later]);
    scene.plane.ahead = HOUR;
    await scene.listed();
    await expectHeld(later, 'in a later listing');
    scene.plane.ahead = HOUR + 7.1 * DAY;
    await expectGiven(later, 'a week later');
  });

  test('counts for a file that a lock file names, when a client has read no more than the list', async () => {
    const old = sample.release(0, { authored: ago(100) });
    await open(victim, [old]);
    await scene.listed();
    scene.rule('cooldown', cooldownOf(victim));
    await expectGiven(old, 'by its address');
  });

  test('counts for nothing where the cooldown says never', async () => {
    const old = sample.release(0, { authored: ago(100) });
    await open(victim, [old]);
    scene.rule('cooldown', { ...cooldownOf(victim), author_times: 'never' });
    await scene.listed();
    await expectHeld(old, 'at first');
    scene.plane.ahead = 7.1 * DAY;
    await expectGiven(old, 'a week later');
  });
});

const byHeader = victims.filter(({ format }) => ['last_modified', 'details'].includes(format.traits.evidence));

test.each(byHeader)('$id: what is younger than HEAD said is refused when it comes', async (victim) => {
  const { sample } = victim;
  const liar = sample.release(1, { at: ago(100) });
  await open(victim, [liar]);
  await scene.listed();
  const { upstream, bytes, type } = liar.file;
  const head = (days: number) => ({
    headers: { 'content-type': type },
    lastModified: new Date(ago(days)).toUTCString(),
  });
  scene.upstream.respond(upstream, { ...head(100), body: '' }, 'HEAD').respond(upstream, { ...head(1), body: bytes });
  for (const { path } of sample.indexes(liar)) if (path.endsWith('.info')) scene.upstream.respond(path, head(1));
  scene.rule('cooldown', cooldownOf(victim));
  for (const mount of mounts()) expectNothingOf(await scene.ask(`${mount}${liar.file.path}`), bytes, mount);
});
