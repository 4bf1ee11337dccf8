import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AnyFormat } from '../../src/engine/format.ts';
import { formats } from '../../src/formats/all.ts';
import { Door } from '../support/door.ts';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { Plane } from '../support/plane.ts';
import * as cases from './samples/cases.ts';
import type { Sample } from './samples/sample.ts';
import { DAY, HOUR, SECOND, Stand } from './samples/stand.ts';

/** Every format that has upstreams. */
const mirrored = formats.filter(({ traits }) => traits.kinds?.includes('remote') ?? true);
type Make = () => Sample;

const samples = await Promise.all(
  mirrored.map(async (format) => ({ id: format.id, format, sample: await load(format) })),
);

/** Undefined: there is none. */
async function load({ id }: AnyFormat): Promise<Make | undefined> {
  const module = (await import(`./samples/${id}.ts`).catch(() => ({}))) as { readonly sample?: Make };
  return module.sample;
}

test.each(samples)('$id has a sample, with an index where it has any', ({ format, sample }) => {
  const kinds = sample?.().requests.map(({ kind }) => kind);
  expect(kinds).toEqual(expect.arrayContaining(format.roster('a').length > 0 ? ['index', 'artifact'] : ['artifact']));
});

const tried = samples.flatMap(({ id, format, sample }) => (sample ? [{ id, format, sample }] : []));
const requests = tried.flatMap((one) =>
  one.sample().requests.map((request, which) => ({ ...one, request, which, title: `${one.id}: ${request.title}` })),
);

describe.each(requests)('$title', ({ format, sample, request, which }) => {
  let plane: Plane;
  let stand: Stand;

  beforeAll(async () => {
    plane = await Plane.start();
  });
  afterAll(() => plane.stop());

  beforeEach(async () => {
    plane.ahead = 0;
    stand = await Stand.open(plane, format, sample(), which);
  });
  afterEach(() => stand.close());

  /** A document that is headers has no body that could be wrong. */
  const ofBody = request.byHead ? [] : [...cases.BROKEN, cases.LOGIN_PAGE];
  const bodiless = request.byHead ? [] : [cases.BODILESS];

  describe('cold', () => {
    test.each(cases.ABSENCES)('$name is an absence, until there is one', async ({ quirk, says = /./ }) => {
      stand.quirk(quirk);
      stand.expectFault(await stand.asked(), [404, 410], says);
      expect(await stand.kept()).toBeUndefined();
      await stand.recovers(31 * SECOND);
    });

    test.each([...cases.OUTAGES, cases.UNCHANGED])('$name is an outage of which nothing stays', async (each) => {
      const { quirk, says = /./ } = each;
      const answer = await stand.quirk(quirk).asked();
      stand.expectFault(answer, [502], says);
      expect(answer.headers['retry-after']).toBe('retryAfter' in quirk ? String(quirk.retryAfter) : undefined);
      expect(await stand.kept()).toBeUndefined();
      await stand.recovers();
    });

    test.each(bodiless)('$name is explained', async ({ quirk }) => {
      stand.expectFault(await stand.quirk(quirk).asked(), [502], /./);
      expect(await stand.kept()).toBeUndefined();
      await stand.recovers();
    });

    test.each(ofBody)('$name is not served and does not stay', async ({ quirk }) => {
      stand.expectNotServed(await stand.quirk(quirk).asked());
      expect(await stand.kept()).toBeUndefined();
      await stand.recovers();
    });

    test('a Content-Encoding that the body is not in is seen through, or explained', async () => {
      const answer = await stand.quirk(cases.MISLABELLED.quirk).asked();
      if (answer.status !== 200) stand.expectFault(answer, [502], /./);
      else if (request.kind === 'artifact') expect(answer.body.equals(stand.right)).toBe(true);
      await stand.recovers();
    });

    if (!request.byHead)
      test('no bytes are served only where nothing can be right', async () => {
        const answer = await stand.quirk({ kind: 'empty' }).asked();
        if (request.mayBeEmpty) return expect(answer).toMatchObject({ status: 200, complete: true });
        stand.expectNotServed(answer);
        expect(await stand.kept()).toBeUndefined();
        await stand.recovers();
      });

    if (!request.byHead)
      test('a Content-Length that is too short is believed only where nothing says better', async () => {
        const answer = await stand.quirk({ kind: 'wrong_length', by: -5 }).asked();
        if (!request.digested && answer.status === 200) {
          if (request.kind === 'artifact') expect(answer.body.equals(stand.right.subarray(0, -5))).toBe(true);
          return;
        }
        stand.expectNotServed(answer);
        expect(await stand.kept()).toBeUndefined();
        await stand.recovers();
      });

    const withHeaders = cases.BROKEN.filter(({ quirk }) => quirk.kind !== 'gzip_bomb');
    test.each(request.byHead ? withHeaders : [])(
      '$name is no obstacle where its headers are enough',
      async ({ quirk }) => {
        expect((await stand.quirk(quirk).served()).body.equals(stand.right)).toBe(true);
      },
    );

    test.each(cases.ODD)('$name is no obstacle', async ({ quirk }) => {
      stand.quirk(quirk);
      await stand.served();
      await stand.recovers(HOUR);
    });

    test('a redirect to another origin is followed, without the remote’s credentials', async () => {
      const other = await FakeUpstream.start();
      stand.record(other);
      stand.quirk({ kind: 'redirect', to: `${other.url}${stand.at}` });
      await stand.served();
      expect(stand.upstream.requests.at(-1)?.headers['authorization']).toBe('Bearer sekret');
      expect(other.requests.map(({ headers }) => headers['authorization'])).toEqual([undefined]);
      await other.stop();
    });

    test('a redirect to a private address is not followed where that is not allowed', async () => {
      const inside = await FakeUpstream.start();
      const door = await Door.start(stand.upstream.url);
      stand.record(inside);
      stand.record(stand.upstream, 'http://upstream.test');
      stand.declare({ allow_private_network: false, proxy_url: door.url }, 'http://upstream.test');
      stand.quirk({ kind: 'redirect', to: `${inside.url}${stand.at}` });
      stand.expectFault(await stand.asked(), [502], /private network/);
      expect(inside.requests).toEqual([]);
      expect(await stand.kept()).toBeUndefined();
      await stand.recovers();
      await door.stop();
      await inside.stop();
    });
  });

  describe('warm', () => {
    test.each([...cases.OUTAGES, ...bodiless, ...ofBody])('what is here is served through $name', async ({ quirk }) => {
      const body = await stand.warm();
      await stand.quirk(quirk).servesOn(body);
      await stand.recovers(2 * HOUR);
    });

    test('what is here is served, old or new, when the Content-Encoding is wrong', async () => {
      const body = await stand.warm();
      expect((await stand.quirk(cases.MISLABELLED.quirk).served()).body.equals(body)).toBe(true);
      await stand.recovers(2 * HOUR);
    });

    if (!request.mayBeEmpty && !request.byHead)
      test('what is here is served in place of no bytes', async () => {
        const body = await stand.warm();
        await stand.quirk({ kind: 'empty' }).servesOn(body);
        await stand.recovers(2 * HOUR);
      });

    test.each([...cases.ODD, cases.UNCHANGED])('what is here is renewed by $name', async ({ quirk }) => {
      const body = await stand.warm();
      stand.quirk(quirk);
      for (const ahead of [HOUR, 2 * HOUR]) {
        plane.ahead = ahead;
        const answer = await stand.served();
        expect(answer.body.equals(body)).toBe(true);
        expect(answer.headers['x-cache']).not.toBe('stale');
      }
    });

    test.each(cases.ABSENCES)('what is here ends with $name, if it can end', async ({ quirk, says = /./ }) => {
      const body = await stand.warm();
      stand.quirk(quirk);
      if (request.forEver) await stand.servesOn(body);
      else stand.expectFault(await stand.asked(), [404, 410], says);
      await stand.recovers(2 * HOUR);
    });
  });

  describe('an absence and an outage are kept apart', () => {
    const absent = { kind: 'status', status: 404 } as const;
    const down = { kind: 'status', status: 500 } as const;

    test('an outage is not remembered as an absence', async () => {
      stand.expectFault(await stand.quirk(down).asked(), [502], /500/);
      stand.upstream.calm();
      stand.expectFault(await stand.quirk(absent).asked(), [404], cases.ABSENT);
      await stand.recovers(31 * SECOND);
    });

    test('an absence does not outlive its time because of an outage', async () => {
      stand.expectFault(await stand.quirk(absent).asked(), [404], cases.ABSENT);
      stand.upstream.calm();
      stand.expectFault(await stand.quirk(down).asked(), [404], cases.ABSENT);
      plane.ahead = 31 * SECOND;
      if (request.absenceLasts) stand.expectFault(await stand.asked(), [404], cases.ABSENT);
      else stand.expectFault(await stand.asked(), [502], /500/);
      await stand.recovers();
    });

    if (!request.forEver)
      test('what ended is not served through an outage', async () => {
        const body = await stand.warm();
        await stand.quirk(down).servesOn(body);
        stand.upstream.calm();
        plane.ahead = 2 * HOUR;
        stand.expectFault(await stand.quirk(absent).asked(), [404], cases.ABSENT);
        stand.upstream.calm();
        plane.ahead = 3 * HOUR;
        stand.quirk(down);
        if (request.absenceLasts) stand.expectFault(await stand.asked(), [404], cases.ABSENT);
        else stand.expectFault(await stand.asked(), [502], /500/);
        await stand.recovers();
      });
  });

  describe('our clock jumps back a day', () => {
    test('and what is here is asked for again', async () => {
      await stand.warm();
      plane.ahead = -DAY;
      await stand.asksAgain();
    });

    test('and what is here goes on through an outage, and not longer', async () => {
      const body = await stand.warm();
      await stand.quirk({ kind: 'status', status: 500 }).servesOn(body);
      plane.ahead = -DAY;
      expect((await stand.served()).body.equals(body)).toBe(true);
      stand.upstream.calm();
      plane.ahead = HOUR - DAY;
      await stand.asksAgain();
    });

    test('and an absence ends', async () => {
      stand.expectFault(await stand.quirk({ kind: 'status', status: 404 }).asked(), [404], cases.ABSENT);
      await stand.recovers(-DAY);
    });
  });
});

describe.each(tried)('$id', ({ format, sample }) => {
  test('an upstream that goes silent is given up, and what is here is served', async () => {
    const plane = await Plane.start();
    const stands = await Promise.all(
      cases.SILENCES.flatMap(({ quirk, says = /./ }) =>
        sample()
          .requests.flatMap(({ byHead }, which) => (byHead ? [] : [which]))
          .map(async (which) => ({ stand: await Stand.open(plane, format, sample(), which), quirk, says })),
      ),
    );
    await Promise.all(
      stands.map(async ({ stand, quirk, says }) => {
        const answer = await stand.quirk(quirk).asked();
        if (answer.complete) stand.expectFault(answer, [502], says);
        expect(await stand.kept()).toBeUndefined();
        stand.upstream.calm();
      }),
    );
    const bodies: Buffer[] = [];
    for (const { stand } of stands) bodies.push(await stand.warm());
    await Promise.all(stands.map(({ stand, quirk }, each) => stand.quirk(quirk).servesOn(bodies[each] as Buffer)));
    await Promise.all(stands.map(({ stand }) => stand.recovers(2 * HOUR)));
    await Promise.all(stands.map(({ stand }) => stand.close()));
    await plane.stop();
  });
});
