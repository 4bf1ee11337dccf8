import { expect, test } from 'vitest';
import { cooldown, DAY, NOW, pattern } from '../../policy/fixtures.ts';
import type { Policy } from '../../policy/policy.ts';
import type { ArtifactTarget } from '../format.ts';
import type { Delivery } from '../source.ts';
import { ask, content, file, type Given, open, refusal, WEEK } from './fixtures.ts';

const HELD: Partial<Policy> = { cooldowns: [cooldown({ formats: { npm: 7 * DAY } })] };
const blob: ArtifactTarget = { kind: 'artifact', path: 'x/blobs/b', name: 'x', role: 'package', part: 'x/manifests/' };
/** A file that releases name by its bytes. */
const part = (carriers: readonly string[], version?: string): Delivery => ({
  repository: 'npm-public',
  file: { path: 'x/blobs/b', role: 'package', name: 'x', digest: 'sha256:b', ...(version ? { version } : {}) },
  carriers: (digest) => Promise.resolve(digest === 'sha256:b' || digest === version ? carriers : []),
  open: () => Promise.resolve(content()),
});
const held = (sights: Given['sights'] = {}): Given => ({ rules: HELD, evidence: 'none', sights });
const LONG_AGO = NOW - 8 * DAY;

test('a part may be had where one of the releases that name it may be', async () => {
  const { guard, asked } = file(part(['m1', 'm2']), held({ m1: NOW - DAY, m2: LONG_AGO }));
  expect((await guard.artifact(blob, ask)).file.digest).toBe('sha256:b');
  expect(asked).toEqual(['npm-public x']);
});

test('a part of young releases is refused as the one of them that is admitted first', async () => {
  const refused = await refusal(part(['m1', 'm2']), held({ m1: NOW - DAY, m2: NOW - 2 * DAY }), blob);
  expect(refused.message).toMatch(/^x m2 was first seen 2 days ago; the cooldown "default" admits it from/);
  expect(refused.details).toMatchObject({ package: 'x', version: 'm2', until: NOW + 5 * DAY, revision: 'r7' });
});

test('a part that no release is known to name is refused where some rule might refuse the release', async () => {
  const refused = await refusal(part([]), held(), blob);
  expect(refused.message).toMatch(/^x sha256:b is part of no release that was asked for here/);
  expect(refused.details.version).toBeUndefined();
  const { guard, asked } = file(part([]), { rules: { cooldowns: [cooldown({ formats: { pypi: DAY } })] } });
  expect((await guard.artifact(blob, ask)).repository).toBe('npm-public');
  expect(asked).toEqual([]);
});

test('a release that is a part of an older one is no younger than that', async () => {
  const inner = { ...blob, version: 'm1' };
  const young = { m1: NOW - DAY, list: LONG_AGO };
  expect((await file(part(['list'], 'm1'), held(young)).guard.artifact(inner, ask)).file.version).toBe('m1');
  const refused = await refusal(part([], 'm1'), held(young), inner);
  expect(refused.details).toMatchObject({ version: 'm1', until: NOW + 6 * DAY });
});

test('a part is refused by patterns, tags and aliases like any file; without a policy it is one', async () => {
  const rules = { ...open, blocklist: ['^latest/'], banTags: ['^rc$'] };
  const terms = { ...held({ m1: LONG_AGO }), terms: { rules } };
  expect((await refusal(part(['m1']), terms, { ...blob, alias: 'latest/x' })).details.rule).toBe(
    'npm-public.blocklist',
  );
  expect((await refusal(part(['m1']), terms, { ...blob, tag: 'rc' })).details.rule).toBe('npm-public.ban_tags');
  const unasked: Delivery = { ...part([]), carriers: () => Promise.reject(new Error('nobody asks')) };
  expect((await file(unasked).guard.artifact(blob, ask)).repository).toBe('npm-public');
});

test('a part of what was published here is judged by blocks alone', async () => {
  const own = { ...part([]), firstParty: true };
  const { guard, asked } = file(own, held());
  expect((await guard.artifact(blob, ask)).repository).toBe('npm-public');
  expect(asked).toEqual([]);
});

test('a file that no release is said to name by its bytes is judged by its own dates', async () => {
  const { carriers: _carriers, ...plain } = part([]);
  const dated: Delivery = { ...plain, lastModified: () => Promise.resolve(LONG_AGO) };
  expect((await file(dated, { rules: WEEK }).guard.artifact(blob, ask)).repository).toBe('npm-public');
  const { part: _part, ...whole } = blob;
  const named: Delivery = { ...part([]), lastModified: () => Promise.resolve(LONG_AGO) };
  expect((await file(named, { rules: WEEK }).guard.artifact(whole, ask)).repository).toBe('npm-public');
});

test('what became known of a release since its part was asked for counts', async () => {
  const sights: Record<string, number> = {};
  const learning: Delivery = {
    ...part([]),
    carriers: () => {
      sights['m1'] = LONG_AGO;
      return Promise.resolve(['m1']);
    },
  };
  const { guard, asked } = file(learning, held(sights));
  expect((await guard.artifact(blob, ask)).repository).toBe('npm-public');
  expect(asked).toHaveLength(2);
});

test('a part is refused with the release that is blocked, and nobody is asked when that was first seen', async () => {
  const rules = { blocks: [{ name: 'bad', packages: [pattern('pkg:npm/x@m1')] }] };
  expect((await refusal(part(['m1']), { rules, evidence: 'none' }, blob)).details).toMatchObject({
    rule: 'block/bad',
    version: 'm1',
  });
  const { guard, asked } = file(part(['m1', 'm2']), { rules, evidence: 'none' });
  expect((await guard.artifact(blob, ask)).repository).toBe('npm-public');
  expect(asked).toEqual([]);
});

test('a part that nobody names counts as seen just now, which is no unknown age', async () => {
  const lenient = { cooldowns: [cooldown({ formats: { npm: 7 * DAY }, unknownAge: 'allow' })] };
  const refused = await refusal(part([]), { rules: lenient, evidence: 'none', sights: {} }, blob);
  expect(refused.message).toMatch(/^x sha256:b is part of no release that was asked for here/);
});
