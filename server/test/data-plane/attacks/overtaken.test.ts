import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SampleRelease } from '../samples/releases.ts';
import { DAY, expectRefused, expectServed, Scene } from './scene.ts';
import { victims } from './victims.ts';

describe.each(victims)('$id: a request that began before a rule', (victim) => {
  const { sample } = victim;
  let scene: Scene;
  let old: SampleRelease;
  let young: SampleRelease;

  beforeEach(async () => {
    old = sample.release(0, { at: Date.now() - 100 * DAY });
    young = sample.release(1, { at: Date.now() - 2 * DAY });
    scene = await Scene.open(victim, [old, young]);
    await scene.listed();
  });
  afterEach(() => scene.close());

  const block = () =>
    scene.rule('block', { name: 'sudden', packages: [`${sample.purl}@${encodeURIComponent(young.version)}`] });
  const largest = () =>
    [young.file, ...young.beside].reduce((most, file) => (file.bytes.length > most.bytes.length ? file : most));

  async function expectNoneNow(): Promise<void> {
    const { path } = largest();
    for (const mount of scene.mounts) {
      expectRefused(await scene.ask(`${mount}${path}`), largest(), mount);
      expectRefused(await scene.ask(`${mount}${path}`, {}, 'HEAD'), largest(), `HEAD ${mount}`);
      expectRefused(await scene.ask(`${mount}${path}`, { range: 'bytes=0-9' }), largest(), `part of ${mount}`);
    }
  }

  test('is refused as long as no byte of its answer has left, and so is all that joins it', async () => {
    const file = largest();
    for (const { path } of [young.file, ...young.beside].filter(({ isRead }) => isRead)) await scene.get(path);
    const gate = scene.upstream.hold(file.upstream);
    const waiting = [scene.get(file.path), scene.get(file.path), scene.ask(`${scene.mounts[1]}${file.path}`)];
    await gate.arrived();
    block();
    await expectNoneNow();
    gate.open();
    for (const answer of await Promise.all(waiting)) expectRefused(answer, file, 'one that waited');
    await expectNoneNow();
    scene.lift('block', 'sudden');
    expectServed(await scene.get(file.path), file, 'once it is lifted');
    expect(scene.upstream.count(file.upstream, 'GET')).toBe(1);
  });

  test('of which bytes have left gets all of the file, or breaks off; nobody else gets any of it', async () => {
    const file = largest();
    for (const { path } of [young.file, ...young.beside].filter(({ isRead }) => isRead)) await scene.get(path);
    const gate = scene.upstream.hold(file.upstream, { afterBytes: file.bytes.length - 100 });
    const begun = scene.get(file.path);
    await gate.arrived();
    await expect
      .poll(async () => (await scene.ask(`${scene.mounts[0]}${file.path}`, { range: 'bytes=0-9' })).status)
      .toBe(206);
    block();
    await expectNoneNow();
    gate.open();
    const answer = await begun;
    if (answer.status === 200) expectServed(answer, file, 'what had begun');
    else expectRefused(answer, file, 'what had not begun');
    await expectNoneNow();
  });
});

const listing = victims.filter(({ sample }) => sample.indexes(sample.release(1)).length > 0);

test.each(listing)(
  '$id: a listing that was on its way when a rule came does not name what that refuses',
  async (victim) => {
    const { sample } = victim;
    const old = sample.release(0, { at: Date.now() - 100 * DAY });
    const young = sample.release(1, { at: Date.now() - 2 * DAY });
    const scene = await Scene.open(victim, [old, young]);
    const gate = scene.upstream.hold('*');
    const waiting = sample.indexes(young).map((index) => scene.index(index));
    await gate.arrived();
    scene.rule('block', { name: 'sudden', packages: [`${sample.purl}@${encodeURIComponent(young.version)}`] });
    gate.open();
    for (const { status, body } of await Promise.all(waiting))
      if (status === 200) expect(body.toString()).not.toContain(young.mark);
    await scene.close();
  },
);
