import { expect, test } from 'vitest';
import { cooldown, DAY, NOW, policy } from '../../policy/fixtures.ts';
import type { Policy } from '../../policy/policy.ts';
import type { AnyFormat, IndexTarget } from '../format.ts';
import type { Content, Delivery, MemberListing, Source } from '../source.ts';
import { FirstSeen } from './first-seen.ts';
import {
  ask,
  BLOCK,
  content,
  delivery,
  document,
  file,
  type Given,
  guarded,
  index,
  LIFTED,
  listing,
  member,
  old,
  open,
  refusal,
  TRIAL,
  tarball,
  WEEK,
  young,
} from './fixtures.ts';
import { GuardedSource } from './guarded.ts';

test('without patterns and policy everything passes as it is', async () => {
  const sent = content();
  const given = delivery({ open: () => Promise.resolve(sent) });
  const passed = await file(given).guard.artifact(tarball, ask);
  expect(passed).toStrictEqual({ ...given, open: expect.any(Function) });
  expect(await passed.open()).toStrictEqual(sent);
  expect((await listing().guard.index(index, ask)).members).toEqual([member()]);
  const { guard: calling } = guarded({ call: ({ path }) => Promise.resolve({ bytes: path, type: 'text/plain' }) });
  expect(await calling.call({ kind: 'call', path: 'ping' }, ask)).toEqual({ bytes: 'ping', type: 'text/plain' });
});

test('a repository’s own patterns are held against a listing together with those of its members', async () => {
  const own = { ...open, repository: 'npm' };
  const { guard } = listing({ members: [member({ rules: [open] }), member()], terms: { rules: own } });
  const { members } = await guard.index(index, ask);
  expect(members.map(({ rules }) => rules)).toEqual([[open, own], [own]]);
});

test('a listing is judged by the policy, with every repository on the way named once', async () => {
  const { guard } = listing({ rules: BLOCK });
  const inner = await guard.index(index, ask);
  const outer = new GuardedSource({ index: () => Promise.resolve(inner) } as unknown as Source, {
    format: { id: 'npm', traits: { purl: 'npm', evidence: 'index' } } as AnyFormat,
    options: {},
    policy: { id: 'r8', policy: policy(BLOCK) },
    repositories: ['outer', 'npm'],
    firstSeen: new FirstSeen({ seen: () => Promise.resolve([]) }),
  });
  expect((await outer.index(index, ask)).members[0]?.scope).toEqual({
    policy: { id: 'r8', policy: policy(BLOCK) },
    repositories: ['npm', 'npm-public', 'outer'],
    firstParty: false,
  });
  const bare = listing({ terms: { policy: { id: 'r7', policy: policy(BLOCK) } } });
  expect((await bare.guard.index(index, ask)).members[0]?.scope?.repositories).toEqual([]);
});

test('first sights come with a listing where a rule about time is about its package, and are asked once per listing', async () => {
  let members = [member()];
  const { guard, asked } = guarded(
    { index: () => Promise.resolve({ members, cache: 'hit', freshUntil: NOW }) },
    { rules: { cooldowns: [cooldown({ packages: { 'pkg:npm/x': DAY } })] }, firstSeenAt: 5 },
  );
  const seen = { '1.0.0': { at: 5, baseline: false } };
  expect((await guard.index(index, ask)).members[0]?.scope?.seen).toEqual(seen);
  await guard.index(index, ask);
  expect(asked).toEqual(['npm-public x']);
  members = [member({ documents: [document('sha256:aa'), document('sha256:bb')] })];
  await guard.index(index, ask);
  members = [member({ documents: [document('sha256:a'), document('asha256:bb')] })];
  await guard.index(index, ask);
  expect(asked).toHaveLength(3);
  expect((await guard.index({ ...index, name: 'y' }, ask)).members[0]?.scope).not.toHaveProperty('seen');
  expect(asked).toHaveLength(3);
});

test.each<[string, Given, IndexTarget, Partial<MemberListing>]>([
  ['no rule is about time', { rules: BLOCK }, index, {}],
  ['it was published here', { rules: WEEK }, index, { firstParty: true }],
  ['it passes byte for byte', { rules: WEEK }, { ...index, opaque: true }, {}],
])('a listing asks nobody for times where %s', async (_why, given, target, own) => {
  const dates = () => Promise.reject(new Error('nobody asks'));
  const { guard, asked } = listing({ ...given, members: [member({ dates, ...own })] });
  const [answered] = (await guard.index(target, ask)).members;
  expect(answered?.scope).not.toHaveProperty('seen');
  expect(answered?.scope).not.toHaveProperty('dates');
  expect(answered?.scope?.firstParty).toBe(own.firstParty ?? false);
  expect(asked).toEqual([]);
});

test('the dates that a listing lacks are asked for as far back as some rule looks', async () => {
  const asked: number[] = [];
  const dates = (before: number) => {
    asked.push(before);
    return Promise.resolve({ of: {}, id: 'd', complete: true });
  };
  const { guard } = listing({ rules: WEEK, members: [member({ dates }), member()] });
  const answered = await guard.index(index, ask);
  expect(asked).toEqual([NOW - 7 * DAY]);
  expect(answered.members[0]?.scope?.dates).toEqual({ of: {}, id: 'd', complete: true });
  expect(answered.members[1]?.scope).not.toHaveProperty('dates');
  expect(answered.freshUntil).toBe(NOW + DAY);
});

test('an index of many packages has its dates, and no first sights of a package', async () => {
  const dates = () => Promise.resolve({ of: {}, id: 'd', complete: true });
  const { guard, asked } = listing({ rules: WEEK, members: [member({ dates })] });
  const { name: _name, ...whole } = index;
  const [answered] = (await guard.index({ ...whole, scope: 'repository' }, ask)).members;
  expect(answered?.scope?.dates?.id).toBe('d');
  expect(answered?.scope).not.toHaveProperty('seen');
  expect(asked).toEqual([]);
});

test('a format that nothing dates is not asked for dates, but for first sights', async () => {
  const dates = () => Promise.reject(new Error('nobody asks'));
  const rules = { cooldowns: [cooldown({ formats: { npm: DAY } })] };
  const { guard, asked } = listing({ rules, evidence: 'none', members: [member({ dates })] });
  await guard.index(index, ask);
  expect(asked).toEqual(['npm-public x']);
});

test('a listing whose dates are still being asked for is not kept', async () => {
  const dates = (complete: boolean) => () => Promise.resolve({ of: {}, id: 'd', complete });
  const members = [member({ dates: dates(true) }), member({ dates: dates(false) })];
  const { guard } = listing({ rules: WEEK, members });
  expect(await guard.index(index, ask)).toMatchObject({ freshUntil: NOW, cache: 'hit' });
  const stale = listing({ rules: WEEK, members, freshUntil: NOW - DAY });
  expect((await stale.guard.index(index, ask)).freshUntil).toBe(NOW - DAY);
});

test('a file that policy refuses is not opened, and the fault says all that is known of the refusal', async () => {
  const opened = () => Promise.reject(new Error('it was opened'));
  const refused = await refusal(delivery({ open: opened }, { published: young }), { rules: WEEK });
  expect(refused.code).toBe('withheld');
  expect(refused.message).toBe(
    'x 1.0.0 was published 24 hours ago; the cooldown "default" admits it from 2026-12-01 12:00 UTC.',
  );
  expect(refused.details).toStrictEqual({
    rule: 'cooldown/default',
    package: 'x',
    version: '1.0.0',
    repository: 'npm-public',
    until: NOW + 6 * DAY,
    evidence: { source: 'server', at: NOW - DAY },
    revision: 'r7',
  });
  const observed = { ...BLOCK, cooldowns: [cooldown({ otherwise: DAY })] };
  expect((await refusal(delivery({}, { published: young }), { rules: observed })).details).toStrictEqual({
    rule: 'block/bad',
    package: 'x',
    version: '1.0.0',
    repository: 'npm-public',
    revision: 'r7',
  });
});

test('a refusal tells what only observing rules would have refused as well', async () => {
  const rules = { cooldowns: [...(WEEK.cooldowns ?? []), ...(TRIAL.cooldowns ?? [])] };
  const { details } = await refusal(delivery({}, { published: young }), { rules });
  expect(details['observed']).toMatchObject([{ rule: 'cooldown/trial', until: NOW + 6 * DAY }]);
});

test('a file that the repository’s own patterns refuse is refused without a policy, by path, tag and alias', async () => {
  const terms = { terms: { rules: { ...open, blocklist: ['^latest/'], banTags: ['^rc$'] } } };
  const refused = await refusal(delivery(), terms, { ...tarball, alias: 'latest/x' });
  expect(refused.details).toStrictEqual({
    rule: 'npm-public.blocklist',
    package: 'x',
    version: '1.0.0',
    repository: 'npm-public',
  });
  expect((await refusal(delivery(), terms, { ...tarball, tag: 'rc' })).details.rule).toBe('npm-public.ban_tags');
  const { guard } = file(delivery(), terms);
  expect((await guard.artifact(tarball, ask)).repository).toBe('npm-public');
});

test('what was published here is refused by blocks alone, and nobody is asked for times', async () => {
  const own = delivery({ firstParty: true, lastModified: () => Promise.reject(new Error('nobody asks')) });
  const { guard, asked } = file(own, { rules: WEEK });
  expect(await guard.artifact(tarball, ask)).toStrictEqual({ ...own, open: expect.any(Function) });
  expect(asked).toEqual([]);
  expect((await refusal(own, { rules: BLOCK })).details.rule).toBe('block/bad');
});

test('Last-Modified is asked for where a rule is about time and no server dated the file', async () => {
  const asked: string[] = [];
  const dated = (what: string, lastModified = NOW - 8 * DAY, published?: Delivery['file']['published']) =>
    delivery(
      {
        lastModified: () => {
          asked.push(what);
          return Promise.resolve(lastModified);
        },
      },
      published ? { published } : {},
    );
  const author = { at: NOW - 90 * DAY, by: 'author' as const };
  await file(dated('no rule'), { rules: BLOCK, terms: { repositories: [] } })
    .guard.artifact(tarball, ask)
    .catch(() => 0);
  await file(dated('no policy')).guard.artifact(tarball, ask);
  await file(dated('a server’s time', 0, old), { rules: WEEK }).guard.artifact(tarball, ask);
  const named = { cooldowns: [cooldown({ formats: { npm: DAY } })] };
  await file(dated('nothing dates it'), { rules: named, evidence: 'none', firstSeenAt: 0 })
    .guard.artifact(tarball, ask)
    .catch(() => 0);
  expect(asked).toEqual([]);
  await file(dated('undated'), { rules: WEEK }).guard.artifact(tarball, ask);
  await file(dated('an author’s time', NOW - 8 * DAY, author), { rules: WEEK }).guard.artifact(tarball, ask);
  expect(asked).toEqual(['undated', 'an author’s time']);
  const refused = await refusal(dated('young', NOW - DAY), { rules: WEEK });
  expect(refused.details.evidence).toEqual({ source: 'last-modified', at: NOW - DAY });
  expect((await refusal(delivery(), { rules: WEEK })).details.evidence?.source).toBe('none');
});

test('first sights of a file’s package are asked once for its bytes, and none where it is of no package', async () => {
  const author = { at: NOW - 90 * DAY, by: 'author' as const };
  const seenLongAgo = { rules: WEEK, firstSeenAt: NOW - 8 * DAY };
  let given = delivery({}, { published: author });
  const { guard, asked } = guarded({ artifact: () => Promise.resolve(given) }, seenLongAgo);
  await guard.artifact(tarball, ask);
  await guard.artifact(tarball, ask);
  expect(asked).toEqual(['npm-public x']);
  given = delivery({}, { published: author, digest: 'sha256:aa' });
  await guard.artifact(tarball, ask);
  expect(asked).toHaveLength(2);
  given = delivery({}, { published: author, digest: 'sha256:bb' });
  await guard.artifact(tarball, ask);
  await guard.artifact({ ...tarball, path: 'x-2.tgz' }, ask);
  expect(asked).toHaveLength(4);
  const { name: _name, version: _version, ...plain } = delivery().file;
  const of = file({ ...delivery(), file: { ...plain, published: old } }, { rules: WEEK });
  await of.guard.artifact(tarball, ask);
  expect(of.asked).toEqual([]);
});

test('what is admitted for a while is kept until then, and no longer than its source says', async () => {
  const opened = async (rules: Partial<Policy>, freshUntil: number) => {
    const given = delivery({ open: () => Promise.resolve(content({ freshUntil })) }, { published: young });
    return (await (await file(given, { rules }).guard.artifact(tarball, ask)).open()).freshUntil;
  };
  expect(await opened(LIFTED, Number.POSITIVE_INFINITY)).toBe(NOW + DAY);
  expect(await opened(LIFTED, NOW + 1)).toBe(NOW + 1);
  expect(await opened(TRIAL, Number.POSITIVE_INFINITY)).toBe(NOW + 6 * DAY);
  expect(await opened({}, Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
});

test('what an exemption lifts and what only observes goes on record; what no rule objects to does not', async () => {
  const ruling = async (rules: Partial<Policy>, published = young) =>
    (await file(delivery({}, { published }), { rules }).guard.artifact(tarball, ask)).ruling;
  const evidence = { source: 'server', at: NOW - DAY };
  expect(await ruling(LIFTED)).toStrictEqual({
    rule: 'exemption/hotfix',
    reason: expect.stringContaining('the exemption "hotfix" lifts the cooldown "default"'),
    evidence,
    revision: 'r7',
  });
  expect(await ruling(TRIAL)).toStrictEqual({
    evidence,
    observed: [expect.objectContaining({ rule: 'cooldown/trial' })],
    revision: 'r7',
  });
  expect(await ruling(WEEK, old)).toBeUndefined();
  expect(await ruling({})).toBeUndefined();
});

test('bytes that turn out younger than what was asked about are refused before the first of them, and let go', async () => {
  const happened: string[] = [];
  const sent = (lastModified: string | undefined) =>
    delivery({
      lastModified: () => Promise.resolve(Date.parse('2026-11-10T00:00:00Z')),
      open: () =>
        Promise.resolve(
          content({
            ...(lastModified === undefined ? {} : { lastModified }),
            body: { release: () => happened.push('released') } as unknown as Content['body'],
            settle: ({ aborted }) => Promise.resolve(void happened.push(`settled, aborted: ${aborted}`)),
          }),
        ),
    });
  const opened = async (header: string | undefined) =>
    (await file(sent(header), { rules: WEEK }).guard.artifact(tarball, ask)).open();
  for (const header of [undefined, 'nonsense', 'Tue, 10 Nov 2026 00:00:00 GMT', 'Thu, 12 Nov 2026 00:00:00 GMT'])
    expect((await opened(header)).type).toBe('application/octet-stream');
  expect(happened).toEqual([]);
  await expect(opened('Tue, 24 Nov 2026 12:00:00 GMT')).rejects.toMatchObject({
    code: 'withheld',
    details: { evidence: { source: 'last-modified', at: NOW - DAY } },
  });
  expect(happened).toEqual(['released', 'settled, aborted: true']);
});

test('bytes that turn out younger, and that an exemption lifts, are kept until it ends', async () => {
  const given = delivery({
    lastModified: () => Promise.resolve(NOW - 8 * DAY),
    open: () => Promise.resolve(content({ lastModified: new Date(NOW - DAY).toUTCString() })),
  });
  const admitted = await file(given, { rules: LIFTED }).guard.artifact(tarball, ask);
  expect((await admitted.open()).freshUntil).toBe(NOW + DAY);
});

test('what moving names are known to have meant comes with a listing, and makes it another one', async () => {
  let id = 'm1';
  const meanings = () => Promise.resolve({ of: { latest: ['1.0.0'] }, id });
  const { guard, asked } = listing({ rules: WEEK, members: [member({ meanings })] });
  expect((await guard.index(index, ask)).members[0]?.scope?.meanings).toEqual({ of: { latest: ['1.0.0'] }, id: 'm1' });
  await guard.index(index, ask);
  expect(asked).toHaveLength(1);
  id = 'm2';
  await guard.index(index, ask);
  expect(asked).toHaveLength(2);
  const plain = await listing({ rules: WEEK }).guard.index(index, ask);
  expect(plain.members[0]?.scope).not.toHaveProperty('meanings');
});

test('an index that passes byte for byte, but is looked into, has its first sights', async () => {
  const { guard, asked } = listing({ rules: WEEK });
  await guard.index({ ...index, opaque: true, sights: { first: index } }, ask);
  expect(asked).toEqual(['npm-public x']);
});

test('a cooldown of one version is about it however the format spells it', async () => {
  const versions = {
    canonical: (version: string) => version.replace('v', ''),
    compare: () => 0,
    isPrerelease: () => false,
  };
  const format = { id: 'npm', traits: { purl: 'npm', evidence: 'index' }, versions } as unknown as AnyFormat;
  const rules = { cooldowns: [cooldown({ packages: { 'pkg:npm/x@v1.0.0': 7 * DAY } })] };
  const refused = await refusal(delivery({}, { published: young }), { rules, terms: { format } });
  expect(refused.details.rule).toBe('cooldown/default');
});

test('bytes without a plausible date are as old as what was asked about', async () => {
  const given = delivery({
    lastModified: () => Promise.resolve(NOW - 8 * DAY),
    open: () => Promise.resolve(content({ lastModified: 'Thu, 01 Jan 1970 00:00:00 GMT' })),
  });
  const admitted = await file(given, { rules: WEEK }).guard.artifact(tarball, ask);
  expect((await admitted.open()).lastModified).toBe('Thu, 01 Jan 1970 00:00:00 GMT');
});

test('a file that its list does not date is dated by what describes it, which is asked where a rule is about time', async () => {
  const asked: string[] = [];
  const described = (what: string, published?: Delivery['file']['published'], listed?: typeof old) =>
    delivery(
      {
        described: () => {
          asked.push(what);
          return Promise.resolve(published);
        },
      },
      listed ? { published: listed } : {},
    );
  await file(described('no rule'), { rules: {} }).guard.artifact(tarball, ask);
  await file(described('listed', young, old), { rules: WEEK }).guard.artifact(tarball, ask);
  expect(asked).toEqual([]);
  await file(described('old', old), { rules: WEEK }).guard.artifact(tarball, ask);
  expect((await refusal(described('young', young), { rules: WEEK })).details.evidence?.at).toBe(young.at);
  expect((await refusal(described('undated'), { rules: WEEK })).details.evidence?.source).toBe('none');
  expect(asked).toEqual(['old', 'young', 'undated']);
});

test('what a cooldown admits because nobody can date it does not go on record', async () => {
  const lenient = { cooldowns: [cooldown({ otherwise: 7 * DAY, unknownAge: 'allow' })] };
  expect((await file(delivery(), { rules: lenient }).guard.artifact(tarball, ask)).ruling).toBeUndefined();
});
