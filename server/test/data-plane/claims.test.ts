import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { Plane } from '../support/plane.ts';
import { spellingsOf } from './attacks/addresses.ts';
import { type Victim, victims } from './attacks/victims.ts';
import type { SampleRelease } from './samples/releases.ts';

const CLAIMS = ['*widget*'];
const DAY = 86_400_000;

describe.each(victims)('$id: a name that is claimed', ({ id, format, sample }: Victim) => {
  let own: FakeUpstream;
  let other: FakeUpstream;
  let plane: Plane;
  let release: SampleRelease;
  let theirs: SampleRelease;

  const mount = (name: string) => `${format.traits.root === undefined ? '' : `/${format.traits.root}`}/${name}`;
  const merges = format.traits.signedIndexes ? (['first'] as const) : (['first', 'union'] as const);
  const serve = (upstream: FakeUpstream, releases: readonly SampleRelease[]) => {
    for (const [path, reply] of Object.entries(sample.upstream(releases))) upstream.respond(path, reply);
  };
  const all = (merge: string, claims: readonly string[] = CLAIMS) =>
    plane.virtual(`all-${merge}`, id, ['public', 'owner'], { merge, claims });
  const asked = () => other.requests.filter(({ path }) => /widget/i.test(path)).map(({ path }) => path);

  beforeAll(async () => {
    [own, other, plane] = await Promise.all([FakeUpstream.start(), FakeUpstream.start(), Plane.start()]);
    release = sample.release(1, { at: Date.now() - 2 * DAY });
    theirs = sample.release(1, { at: Date.now() - 200 * DAY });
    serve(own, [release]);
    serve(other, [theirs, sample.release(999)]);
    plane.remote('owner', id, own.url, { ...sample.spec, claims: CLAIMS, negative_ttl: '0', index_ttl: '1s' });
    plane.remote('public', id, other.url, { ...sample.spec, index_ttl: '1s' });
    for (const merge of merges) all(merge);
  });

  afterAll(async () => {
    await plane.stop();
    for (const upstream of [own, other]) await upstream.stop();
  });

  test.each(merges)('is its owner’s alone, though a public member stands before it: %s', async (merge) => {
    for (const { path, bytes } of [release.file, ...release.beside]) {
      const answer = await plane.get(`${mount(`all-${merge}`)}${path}`);
      expect([path, answer.status]).toEqual([path, 200]);
      expect(Buffer.from(await answer.arrayBuffer()).equals(bytes), path).toBe(true);
    }
    for (const { path, accept } of sample.indexes(release).filter(({ path }) => path.includes('widget'))) {
      const answer = await plane.get(`${mount(`all-${merge}`)}${path}`, accept === undefined ? {} : { accept });
      expect([path, answer.status < 400]).toEqual([path, true]);
      await answer.arrayBuffer();
    }
    expect(asked()).toEqual([]);
  });

  test('is refused at the address of a member that does not own it, however it is asked', async () => {
    const from = mount('public');
    const paths = [theirs.file, ...theirs.beside].map(({ path }) => path).concat(theirs.aliases);
    const indexes = sample.indexes(theirs).flatMap(({ path }) => (path.includes('widget') ? [path] : []));
    const remote = `/api/v1/remote/public${format.traits.root === undefined ? '' : `/${format.traits.root}`}`;
    const manners = [{}, { range: 'bytes=0-9' }].flatMap((headers) =>
      ['GET', 'HEAD'].map((method) => ({ headers, method })),
    );
    const addresses = [from, remote].flatMap((at) => [...paths, ...indexes].map((path) => `${at}${path}`));
    for (const address of addresses)
      for (const { headers, method } of manners) {
        const answer = await plane.get(address, headers, method);
        await answer.arrayBuffer();
        // A redirect to the one spelling of a name is made here.
        expect([address, [301, 403]]).toEqual([address, expect.arrayContaining([answer.status])]);
      }
    const refused = await plane.get(`${from}${theirs.file.path}`);
    expect(refused.headers.get('x-entrepot-reason')).toMatch(
      /the claims of the virtual "all-\w+" .* give it to "owner"/,
    );
    for (const path of spellingsOf(from, theirs.file.path)) {
      const answer = await plane.get(`${from}${path}`).catch(() => undefined);
      const body = Buffer.from((await answer?.arrayBuffer()) ?? new ArrayBuffer(0));
      expect(body.includes(theirs.file.bytes.subarray(100, 120)), path).toBe(false);
    }
    expect(asked()).toEqual([]);
    expect(plane.pulls).toContainEqual(
      expect.objectContaining({ decision: 'refused', rule: expect.stringMatching(/^virtual\/all-\w+\.claims$/) }),
    );
  });

  test.each(merges)(
    'is not found where its owner does not have it, and an outage of the owner is one: %s',
    async (merge) => {
      const absent = sample.release(7);
      const at = `${mount(`all-${merge}`)}${absent.file.path}`;
      own.quirk('*', { kind: 'status', status: 404 });
      plane.ahead += DAY;
      const answers = [await plane.get(at), await plane.get(at, {}, 'HEAD')];
      expect(answers.map(({ status }) => status)).toEqual([404, 404]);
      own.calm().quirk('*', { kind: 'status', status: 500 });
      plane.ahead += 8 * DAY;
      const down = await plane.get(`${mount(`all-${merge}`)}${sample.release(8).file.path}`);
      expect(down.status).toBe(503);
      expect(down.headers.get('retry-after')).toBe('5');
      expect(down.headers.get('x-entrepot-reason')).toContain(`"owner", a member of "all-${merge}", cannot say`);
      own.calm();
      plane.ahead += DAY;
      expect(asked()).toEqual([]);
    },
  );

  test('stays claimed when its owner is gone', async () => {
    for (const merge of merges) plane.virtual(`all-${merge}`, id, ['public'], { merge, claims: CLAIMS });
    plane.withdraw('owner');
    for (const merge of merges) {
      const answer = await plane.get(`${mount(`all-${merge}`)}${theirs.file.path}`);
      expect(answer.status).toBe(404);
      expect(answer.headers.get('x-entrepot-reason')).toContain(`virtual/all-${merge}.claims`);
    }
    expect(asked()).toEqual([]);
  });
});
