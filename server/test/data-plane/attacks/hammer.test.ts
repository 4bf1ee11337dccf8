import { afterAll, beforeAll, expect, test } from 'vitest';
import { FakeUpstream } from '../../support/fake-upstream.ts';
import { TestServer } from '../../support/test-server.ts';
import type { SampleIndex, SampleRelease } from '../samples/releases.ts';
import { type Victim, victims } from './victims.ts';

const DAY = 86_400_000;
const CHANGES = 100;

interface Package {
  readonly victim: Victim;
  readonly mount: string;
  /** Refused by no rule. */
  readonly old: SampleRelease;
  /** Refused by some revisions. */
  readonly middling: SampleRelease;
  /** Refused by every one. */
  readonly young: SampleRelease;
}

/** What a revision does with a middling release. */
type Outcome = 'served' | 'refused';

interface Change {
  readonly send: () => Promise<{ readonly status: number }>;
  readonly does: (one: Package) => Outcome;
}

const upstreams: FakeUpstream[] = [];
const packages: Package[] = [];
let server: TestServer;
/** What the revisions do, in order; the last of them may be on its way. */
const revisions: ((one: Package) => Outcome)[] = [() => 'served'];
/** How many of them were acknowledged. */
let acknowledged = 1;

beforeAll(async () => {
  server = await TestServer.start();
  for (const victim of victims) packages.push(await packageOf(victim));
});
afterAll(async () => {
  await server.stop();
  for (const upstream of upstreams) await upstream.stop();
});

async function packageOf(victim: Victim): Promise<Package> {
  const { format, sample, id } = victim;
  const upstream = await FakeUpstream.start();
  upstreams.push(upstream);
  const [old, middling, young] = [100, 20, 2].map((days, at) => sample.release(at, { at: Date.now() - days * DAY }));
  const one = { victim, old, middling, young } as Omit<Package, 'mount'>;
  for (const [path, reply] of Object.entries(sample.upstream([one.old, one.middling, one.young])))
    upstream.respond(path, reply);
  await server.remote(`${id}-public`, id, upstream.url, { index_ttl: '1h', ...sample.spec });
  await server.virtual(id, id, [`${id}-public`]);
  const mount = `${format.traits.root === undefined ? '' : `/${format.traits.root}`}/${id}`;
  for (const { path } of sample.listing) expect((await fetch(`${server.url}${mount}${path}`)).status).toBe(200);
  return { ...one, mount };
}

const purlOf = ({ sample }: Victim, { version }: SampleRelease) => `${sample.purl}@${encodeURIComponent(version)}`;
const allOf = (which: 'middling' | 'young') => packages.map((one) => purlOf(one.victim, one[which]));

/** Every change leaves the young releases blocked. Middling ones are refused by one rule after the other, or by none. */
function* changes(): Generator<Change> {
  const cooled = ({ victim }: Package): Outcome => (victim.format.traits.evidence === 'none' ? 'served' : 'refused');
  const refused = () => 'refused' as const;
  const served = () => 'served' as const;
  const put = (path: string, spec: object) => () => server.put(`/api/v2/${path}`, spec);
  const sudden = { packages: allOf('middling') };
  for (let round = 0; ; round++) {
    const always = { packages: allOf('young'), reason: `round ${round}` };
    yield { send: put('blocks/sudden', sudden), does: refused };
    yield { send: put('blocks/always', always), does: refused };
    yield { send: put('blocks/sudden', { packages: sudden.packages.toReversed(), reason: 'again' }), does: refused };
    yield { send: () => server.delete('/api/v2/blocks/sudden'), does: served };
    yield { send: put('cooldowns/ages', { default: '30d' }), does: cooled };
    yield { send: put('cooldowns/ages', { default: '40d' }), does: cooled };
    yield {
      send: () =>
        server.post('/api/v2/config', [
          { op: 'delete', kind: 'cooldown', name: 'ages' },
          { op: 'put', kind: 'block', name: 'sudden', spec: { name: 'sudden', ...sudden } },
          { op: 'put', kind: 'block', name: 'always', spec: { name: 'always', packages: allOf('young') } },
        ]),
      does: refused,
    };
    yield { send: () => server.delete('/api/v2/blocks/sudden'), does: served };
  }
}

async function ask(one: Package, path: string, { accept }: Partial<SampleIndex> = {}) {
  const answer = await fetch(`${server.url}${one.mount}${path}`, accept === undefined ? {} : { headers: { accept } });
  return { status: answer.status, body: Buffer.from(await answer.arrayBuffer()) };
}

/** One client, which wants everything of one package. */
async function round(one: Package): Promise<void> {
  const { old, middling, young, victim } = one;
  const kept = await ask(one, old.file.path);
  expect([one.mount, kept.status, kept.body.equals(old.file.bytes)]).toEqual([one.mount, 200, true]);
  expect([one.mount, (await ask(one, young.file.path)).status]).toEqual([one.mount, 403]);
  const from = acknowledged - 1;
  const { status, body } = await ask(one, middling.file.path);
  const possible = revisions.slice(from).map((outcome) => outcome(one));
  const got = status === 200 && body.equals(middling.file.bytes) ? 'served' : status === 403 ? 'refused' : status;
  expect({ mount: one.mount, possible, got }).toMatchObject({ got: expect.toBeOneOf(possible) });
  for (const index of victim.sample.indexes(middling)) await listed(one, index);
}

async function listed(one: Package, index: SampleIndex): Promise<void> {
  const from = acknowledged - 1;
  const { status, body } = await ask(one, index.path, index);
  const possible = revisions.slice(from).map((outcome) => outcome(one));
  const text = status === 200 ? body.toString() : '';
  const what = `${one.mount}${index.path} as ${index.accept}`;
  expect([200, 301, 403, 404], what).toContain(status);
  expect(text, what).not.toContain(one.young.mark);
  if (possible.every((outcome) => outcome === 'refused')) expect(text, what).not.toContain(one.middling.mark);
}

test('100 changes of the policy under fire make no answer that neither the one before nor the one after would give', async () => {
  const { status } = await server.put('/api/v2/blocks/always', { packages: allOf('young') });
  expect(status).toBe(201);
  let over = false;
  let rounds = 0;
  const clients = packages.flatMap((one) =>
    [1, 2].map(async () => {
      while (!over) {
        await round(one);
        rounds += 1;
      }
    }),
  );
  const fire = Promise.all(clients);
  const changing = (async () => {
    const next = changes();
    for (let change = 0; change < CHANGES; change++) {
      const { send, does } = next.next().value as Change;
      revisions.push(does);
      expect((await send()).status).toBeLessThan(300);
      acknowledged = revisions.length;
    }
  })().finally(() => {
    over = true;
  });
  await Promise.all([fire, changing]);
  expect(rounds).toBeGreaterThan(packages.length);
});
