import { afterEach, beforeEach, expect, test } from 'vitest';
import { DebianGeneration } from '../../support/debian-archive.ts';
import { FakeUpstream } from '../../support/fake-upstream.ts';
import { Plane } from '../../support/plane.ts';

const LISTS = 'main/binary-amd64/';
const POOL = 'pool/main/w/widget/';
const BLOCKED = `${POOL}widget_1.1_amd64.deb`;
const OTHER = `${POOL}widget_1.0_amd64.deb`;

let upstream: FakeUpstream;
let plane: Plane;

beforeEach(async () => {
  upstream = await FakeUpstream.start();
  plane = await Plane.start();
  new DebianGeneration({
    folder: 'dists/stable/',
    lists: LISTS,
    date: 'Fri, 20 Nov 2026 12:00:00 GMT',
    packages: [
      { name: 'widget', version: '1:1.1', filename: BLOCKED, deb: Buffer.from('this is 1:1.1') },
      { name: 'widget', version: '1:1.0', filename: OTHER, deb: Buffer.from('this is 1:1.0') },
    ],
  }).publish(upstream);
  plane.remote('debian', 'debian', upstream.url);
});
afterEach(async () => {
  await plane.stop();
  await upstream.stop();
});

const statusOf = async (path: string) => {
  const answer = await plane.get(`/debian/${path}`);
  await answer.arrayBuffer();
  return answer.status;
};
const both = async () => [await statusOf(BLOCKED), await statusOf(OTHER)];

test.each([
  'pkg:deb/debian/widget@1:1.1',
  'pkg:deb/debian/widget@1%3A1.1',
  'pkg:deb/debian/widget?vers=vers:deb/>=1:1.1',
])(
  'a version with an epoch, which its file name lacks, is refused by %s before and after a list says it',
  async (purl) => {
    plane.rule('block', { name: 'bad', packages: [purl] });
    // Nobody knows yet which version either is.
    expect(await both()).toEqual([403, 403]);
    expect(upstream.count(`/${BLOCKED}`, 'GET')).toBe(0);
    for (const list of ['dists/stable/InRelease', `dists/stable/${LISTS}Packages.gz`])
      expect(await statusOf(list)).toBe(200);
    for (let warm = 0; warm < 3; warm++) expect(await both()).toEqual([403, 200]);
    plane.lift('block', 'bad');
    expect(await both()).toEqual([200, 200]);
  },
);

test('a file that nothing lists is served where no rule is about versions of its package', async () => {
  plane.rule('block', { name: 'other', packages: ['pkg:deb/debian/gadget@1:1.1'] });
  expect(await both()).toEqual([200, 200]);
});
