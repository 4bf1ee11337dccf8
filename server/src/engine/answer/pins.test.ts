import { expect, test } from 'vitest';
import { MemoryCoordination } from '../../coordination/memory.ts';
import type { IndexTarget } from '../format.ts';
import type { SourceDocument } from '../source.ts';
import { Pins } from './pins.ts';

const root: IndexTarget = {
  kind: 'index',
  path: 'dists/stable/InRelease',
  scope: 'repository',
  view: 'full',
  opaque: true,
};
const documentOf = (digest: string): SourceDocument => ({
  target: root,
  digest,
  size: 1,
  type: 'text/plain',
  url: 'https://upstream.test/dists/stable/InRelease',
  since: 1,
});
const apt = { principal: 'anonymous', address: '10.0.0.1', client: 'apt/3.0' };

test('which generation a client read is known to every process of the installation', () => {
  const first = new MemoryCoordination();
  const [one, other] = [new Pins(first), new Pins(first.join())];
  one.remember('debian', root, apt, documentOf('old'));
  other.remember('debian', root, apt, documentOf('new'));
  for (const pins of [one, other]) {
    expect(pins.recall('debian', root, apt)).toEqual(documentOf('new'));
    expect(pins.recall('debian', root, { ...apt, address: '10.0.0.2' })).toBeUndefined();
  }
});

test('of two roots it is known which one a client read last, at whatever process', () => {
  const first = new MemoryCoordination();
  const [one, other] = [new Pins(first), new Pins(first.join())];
  const release = { ...root, path: 'dists/stable/Release' };
  one.remember('debian', root, apt, documentOf('a'));
  other.remember('debian', release, apt, documentOf('b'));
  for (const pins of [one, other])
    expect(pins.at('debian', release, apt)).toBeGreaterThan(pins.at('debian', root, apt));
  expect(one.at('ubuntu', root, apt)).toBe(0);
});
