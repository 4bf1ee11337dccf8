import fc from 'fast-check';
import { expect, test } from 'vitest';
import { indexAt, site } from '../fixtures.ts';
import { type Hiding, hidings, semantic, visibleOf, without } from '../repairs.contract.ts';
import { semverOrder } from '../semver-order.ts';
import { cargo } from './index.ts';

const target = indexAt(cargo, 'wi/dg/widget');

interface Given extends Hiding {
  readonly yanked: readonly string[];
}

const given: fc.Arbitrary<Given> = hidings(semantic, semverOrder.canonical).chain((hiding) =>
  fc.subarray([...hiding.versions]).map((yanked) => ({ ...hiding, yanked })),
);

const lineOf = (vers: string, yanked: readonly string[]) =>
  `${JSON.stringify({ name: 'Widget', vers, deps: [], cksum: 'ab'.repeat(32), features: {}, yanked: yanked.includes(vers), odd: vers })}\n`;
const decode = (text: string) =>
  cargo.index.decode(
    { bytes: Buffer.from(text), type: 'text/plain', url: 'https://upstream.test/wi/dg/widget' },
    target,
  );

test('the lines of what is visible stay byte for byte, in their order, yanked or not', () => {
  fc.assert(
    fc.property(given, (one) => {
      const source = decode(one.versions.map((version) => lineOf(version, one.yanked)).join(''));
      const doc = without(cargo, source, ({ version }) => one.hidden.has(version));
      const bytes = Buffer.from(cargo.index.encode(doc, target, site)?.bytes ?? '').toString();
      expect(bytes).toBe(
        visibleOf(one)
          .map((version) => lineOf(version, one.yanked))
          .join(''),
      );
      expect([...cargo.index.releases(decode(bytes))].map(({ version }) => version)).toEqual(visibleOf(one));
      if (one.hidden.size === 0) expect(doc).toBe(source);
    }),
  );
});
