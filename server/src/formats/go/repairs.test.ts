import fc from 'fast-check';
import { expect, test } from 'vitest';
import { indexAt, site } from '../fixtures.ts';
import { expectStandIn, type Hiding, hidings, semantic, visibleOf, without } from '../repairs.contract.ts';
import { semverOrder } from '../semver-order.ts';
import { go } from './index.ts';

const list = indexAt(go, 'a.test/b/@v/list');
const latest = indexAt(go, 'a.test/b/@latest');

const version = fc
  .tuple(semantic, fc.constantFrom('', '', '+incompatible'))
  .map(([number, build]) => `v${number}${build}`);

interface Given extends Hiding {
  readonly named: string;
}

const given: fc.Arbitrary<Given> = hidings(version, (each) => each.split('+', 1)[0]).chain((hiding) =>
  fc.constantFrom(...hiding.versions).map((named) => ({ ...hiding, named })),
);

const decode = (text: string, target: typeof list) =>
  go.index.decode({ bytes: Buffer.from(text), type: 'text/plain', url: 'https://upstream.test/x' }, target);
const infoOf = (named: string) => JSON.stringify({ Version: named, Time: '2026-01-01T00:00:00Z' });
const served = (doc: ReturnType<typeof decode>, target: typeof list) => go.index.encode(doc, target, site)?.bytes;
const repaired = (doc: ReturnType<typeof decode>, hidden: ReadonlySet<string>) =>
  without(go, doc, (release) => hidden.has(release.version));

test('a list has the lines of what is visible, as they came', () => {
  fc.assert(
    fc.property(given, (one) => {
      const source = decode(one.versions.map((each) => `${each} 2026-01-01T00:00:00Z\n`).join(''), list);
      const text = String(served(repaired(source, one.hidden), list));
      expect(text).toBe(
        visibleOf(one)
          .map((each) => `${each} 2026-01-01T00:00:00Z\n`)
          .join(''),
      );
      expect([...go.index.releases(decode(text, list))].map((release) => release.version)).toEqual(visibleOf(one));
      if (one.hidden.size === 0) expect(repaired(source, one.hidden)).toBe(source);
    }),
  );
});

test('@latest is what the upstream says, or what stands in for it, not said to be of any time', () => {
  fc.assert(
    fc.property(given, (one) => {
      const documents = [decode(infoOf(one.named), latest), decode(one.versions.join('\n'), list)];
      const text = served(repaired(go.index.merge(documents), one.hidden), latest);
      if (!one.hidden.has(one.named)) {
        expect(text).toBe(infoOf(one.named));
        return;
      }
      const { Version: now, ...rest } = JSON.parse(String(text));
      expect(rest).toEqual({});
      expectStandIn(one.named, now, visibleOf(one), semverOrder);
    }),
  );
});

test('@latest is not an incompatible release of a higher number than the module has', () => {
  const documents = [decode(infoOf('v1.9.0'), latest), decode('v1.8.0\nv1.9.0\nv3.0.0+incompatible\n', list)];
  const doc = repaired(go.index.merge(documents), new Set(['v1.9.0']));
  expect(JSON.parse(String(served(doc, latest))).Version).toBe('v1.8.0');
});

test('@latest is a version that somebody tagged before it is one made of a commit', () => {
  const lines = 'v0.9.0-rc.1\nv0.9.1-0.20190101000000-aaaaaaaaaaaa\nv1.0.0\n';
  const doc = repaired(go.index.merge([decode(infoOf('v1.0.0'), latest), decode(lines, list)]), new Set(['v1.0.0']));
  expect(JSON.parse(String(served(doc, latest))).Version).toBe('v0.9.0-rc.1');
});

test('@latest of several repositories is one that may be seen, with its time', () => {
  const [one, other] = ['v2.0.0', 'v1.0.0'].map((named) => decode(infoOf(named), latest)) as [
    ReturnType<typeof decode>,
    ReturnType<typeof decode>,
  ];
  const doc = go.index.merge([repaired(one, new Set(['v2.0.0'])), other]);
  expect(served(doc, latest)).toBe(infoOf('v1.0.0'));
});
