import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { IndexTarget } from '../../engine/format.ts';
import { get, site } from '../fixtures.ts';
import { type Hiding, hidings, semantic, visibleOf, without } from '../repairs.contract.ts';
import { oci } from './index.ts';

const NAME = 'team/app';
const given = hidings(semantic, (each) => each);
const index = (path: string, query = '') => oci.parse(get(path, undefined, query), site) as IndexTarget;
const decode = (value: unknown, target: IndexTarget) =>
  oci.index.decode(
    { bytes: Buffer.from(JSON.stringify(value)), type: 'application/json', url: 'https://upstream.test/v2/x' },
    target,
  );
const sorted = (tags: readonly string[]) => tags.toSorted();

/** Every page that a client gets who follows the links. */
function paged(doc: ReturnType<typeof decode>, path: string, n: number): readonly string[] {
  const found: string[] = [];
  for (let query: string | undefined = `n=${n}`; query !== undefined; ) {
    const body = oci.index.encode(doc, index(path, query), site);
    const { tags = [], repositories = [] } = JSON.parse(String(body?.bytes));
    found.push(...tags, ...repositories);
    query = /\?([^>]*)>/.exec(body?.headers?.['link'] ?? '')?.[1];
  }
  return found;
}

test('the pages of a list of tags have what is visible between them, however long they are', () => {
  fc.assert(
    fc.property(given, fc.integer({ min: 1, max: 5 }), (one, n) => {
      const path = `${NAME}/tags/list`;
      const source = decode({ name: NAME, tags: one.versions }, index(path));
      const doc = without(oci, source, ({ version }) => one.hidden.has(version));
      expect(paged(doc, path, n)).toEqual(sorted(visibleOf(one)));
      if (one.hidden.size === 0) expect(doc).toBe(source);
    }),
  );
});

test('what refers to an image goes one by one, the rest as it came', () => {
  const digest = (tag: string) => `sha256:${Buffer.from(tag.padEnd(32)).toString('hex').slice(0, 64)}`;
  const described = (one: Hiding, tags: readonly string[]) =>
    tags.map((tag) => ({
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest: digest(tag),
      size: 3,
      artifactType: one.versions.indexOf(tag) % 2 === 0 ? 'application/one' : 'application/other',
      annotations: { tag },
    }));
  fc.assert(
    fc.property(given, (one) => {
      const path = `${NAME}/referrers/${digest('subject')}`;
      const source = decode({ schemaVersion: 2, manifests: described(one, one.versions) }, index(path));
      const hidden = new Set([...one.hidden].map(digest));
      const doc = without(oci, source, ({ version }) => hidden.has(version));
      for (const artifactType of [undefined, 'application/one', 'application/other']) {
        const target = index(path, artifactType === undefined ? '' : `artifactType=${artifactType}`);
        const { manifests } = JSON.parse(String(oci.index.encode(doc, target, site)?.bytes));
        const wanted = described(one, visibleOf(one)).filter(
          (each) => artifactType === undefined || each.artifactType === artifactType,
        );
        expect(manifests).toEqual(wanted);
      }
      if (one.hidden.size === 0) expect(doc).toBe(source);
    }),
  );
});
