import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { FreshMachine } from '../support/clients.ts';
import { type Judged, preflight } from '../support/preflight.ts';
import { ServerProcess } from '../support/server-process.ts';
import { cargo } from './locked/cargo.ts';
import type { Ecosystem, Release } from './locked/ecosystem.ts';
import { go } from './locked/go.ts';
import { maven } from './locked/maven.ts';
import { requirements, uv } from './locked/python.ts';

const HOUR = 3_600_000;
const ECOSYSTEMS: readonly Ecosystem[] = [cargo, uv, requirements, go, maven];

let server: ServerProcess;
const machines: FreshMachine[] = [];

beforeAll(async () => {
  server = await ServerProcess.start();
});
afterEach(async () => {
  for (const machine of machines.splice(0)) await machine.remove();
});
afterAll(() => server?.stop());

const cooldown = (format: string, hours: number) =>
  server.manage('PUT', '/cooldowns/default', {
    name: 'default',
    formats: { [format]: hours === 0 ? '0' : `${hours}h` },
  });

test.for(ECOSYSTEMS)(
  'each pin in $file of $client is judged by its own date, and so is its file',
  async (of, context) => {
    const { format, file } = of;
    await cooldown(format, 0);
    const machine = await FreshMachine.create();
    machines.push(machine);
    await of.lock(context, machine, `${server.url}/${format}`);
    const before = await preflight(server, machine, file);
    expect(before).toMatchObject({ code: 0, refused: 0 });
    expect(before.items.length).toBeGreaterThan(4);
    const releases = await releasesOf(before.items, of);

    const hours = Math.round((Date.now() - widestGap([...releases.values()])) / HOUR);
    await cooldown(format, hours);
    const { code, items } = await preflight(server, machine, file);
    expect(code).toBe(1);
    for (const item of items) {
      const { published, url } = releases.get(item.purl) as Release;
      expect(shown(item)).toEqual({ purl: item.purl, ...expected(published, hours * HOUR) });
      expect(`${url} ${(await fetch(url, { method: 'HEAD' })).status}`).toBe(`${url} ${item.allowed ? 200 : 403}`);
    }
  },
);

async function releasesOf(items: readonly Judged[], of: Ecosystem): Promise<Map<string, Release>> {
  const releases = new Map<string, Release>();
  for (const { purl } of items)
    if (!releases.has(purl)) releases.set(purl, await of.releaseOf(purl, `${server.url}/${of.format}`));
  return releases;
}

/** A moment between two of their times that is as far from both as can be, so that each side has some. */
function widestGap(releases: readonly Release[]): number {
  const sorted = releases.flatMap(({ published }) => published ?? []).toSorted((one, other) => one - other);
  const gaps = sorted.slice(1).map((time, at) => ({ gap: time - (sorted[at] ?? time), end: time }));
  const [widest] = gaps.toSorted((one, other) => other.gap - one.gap);
  return widest ? widest.end - widest.gap / 2 : Date.now() - HOUR;
}

const shown = ({ purl, allowed, rule, until }: Judged) =>
  allowed ? { purl, allowed } : { purl, allowed, rule, until };

/** What a cooldown of so many milliseconds makes of a release; what nothing dates is withheld. */
function expected(published: number | undefined, age: number): object {
  const refused = { allowed: false, rule: 'cooldown/default' };
  if (published === undefined) return { ...refused, until: undefined };
  const until = published + age;
  return until <= Date.now() ? { allowed: true } : { ...refused, until: new Date(until).toISOString() };
}
