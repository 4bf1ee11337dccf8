import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SampleRelease } from '../samples/releases.ts';
import { askIn, MANNERS, spellingsOf } from './addresses.ts';
import { rulesFor } from './rules.ts';
import { type Answer, DAY, expectNothingOf, expectRefused, expectServed, Scene } from './scene.ts';
import { mirrored, victims } from './victims.ts';

test.each(mirrored)('$id has a package to attack', ({ sample }) => {
  expect(sample?.release(0).version).not.toBe(sample?.release(1).version);
});

const cases = victims.flatMap((victim) =>
  rulesFor(victim).map((rule) => ({ id: victim.id, rule: rule.name, attack: { victim, rule } })),
);

describe.each(cases)('$id, with $rule', ({ attack: { victim, rule } }) => {
  let scene: Scene;
  let old: SampleRelease;
  let young: SampleRelease;
  /** Addresses that were seen to mean the file, and what was served there. */
  const known = new Map<string, Answer>();

  beforeAll(async () => {
    old = victim.sample.release(0, { at: Date.now() - 100 * DAY });
    young = victim.sample.release(1, { at: Date.now() - 2 * DAY });
    scene = await Scene.open(victim, [old, young]);
    if (rule.needsBaseline) await rule.baseline(scene, old, young);
  });
  afterAll(() => scene.close());

  const addresses = () => scene.mounts.map((mount) => `${mount}${young.file.path}`);
  const spelled = () => {
    const [mount = ''] = scene.mounts;
    return spellingsOf(mount, young.file.path).map((path) => `${mount}${path}`);
  };

  async function refusedEverywhere(): Promise<void> {
    for (const address of addresses())
      for (const manner of MANNERS) {
        const answer = await askIn(scene, address, manner, known.get(address));
        expectRefused(answer, young.file, `${manner.name} of ${address}`);
      }
    for (const address of spelled()) {
      const answer = await scene.ask(address);
      if (known.has(address)) expectRefused(answer, young.file, address);
      else expectNothingOf(answer, young.file.bytes, address);
    }
    for (const file of [old.file, ...old.beside]) expectServed(await scene.get(file.path), file, file.path);
    for (const mount of scene.mounts.slice(0, 3)) await refusedBelow(mount);
  }

  /** By its other addresses, with what is beside it, in every document. */
  async function refusedBelow(mount: string): Promise<void> {
    const files = [...young.aliases.map((path) => ({ ...young.file, path })), ...young.beside];
    for (const file of files)
      for (const method of ['GET', 'HEAD'])
        expectRefused(await scene.ask(`${mount}${file.path}`, {}, method), file, `${method} of ${mount}${file.path}`);
    for (const index of victim.sample.indexes(young)) {
      const { status, body } = await scene.index(index, mount);
      const what = `${status} of ${mount}${index.path} as ${index.accept}`;
      expect([200, 301, 403, 404], what).toContain(status);
      if (status === 200) expect(body.toString(), what).not.toContain(young.mark);
    }
  }

  test('a release is refused at every address, and its upstream is not asked for a byte of it', async () => {
    rule.declare(scene, { old, young });
    for (const address of addresses()) expectRefused(await scene.ask(address), young.file, address);
    await scene.listed();
    await refusedEverywhere();
    expect(scene.sent(young)).toBe(0);
  });

  test('it is served once nothing refuses it', async () => {
    rule.lift(scene);
    for (const address of addresses())
      for (let warm = 0; warm < 4; warm++) {
        const answer = await scene.ask(address);
        expectServed(answer, young.file, address);
        known.set(address, answer);
      }
    for (const address of spelled()) {
      const answer = await scene.ask(address);
      if (answer.status === 200 && answer.body.equals(young.file.bytes)) known.set(address, answer);
    }
    for (const mount of scene.mounts.slice(0, 3)) await servedBelow(mount);
  });

  async function servedBelow(mount: string): Promise<void> {
    for (const index of victim.sample.indexes(young)) {
      const { status, body } = await scene.index(index, mount);
      if (status !== 301) expect(body.toString(), `${status} of ${mount}${index.path}`).toContain(young.mark);
    }
    const files = [...young.aliases.map((path) => ({ ...young.file, path })), ...young.beside];
    for (const file of files)
      for (let warm = 0; warm < 3; warm++)
        expectServed(await scene.ask(`${mount}${file.path}`), file, `${mount}${file.path}`);
  }

  test('it is refused again from the next answer on, though it is here and was served a moment before', async () => {
    rule.declare(scene, { old, young });
    const before = scene.sent(young);
    await refusedEverywhere();
    expect(scene.sent(young)).toBe(before);
  });
});
