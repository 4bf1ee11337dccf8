import { readFileSync } from 'node:fs';
import type { AnyFormat, EncodeSite, IndexTarget, ProtocolRequest, RawDocument, Target } from '../engine/format.ts';

/** One entry of a format's `fixtures/manifest.json`: a document, and the request that leads to it. */
export interface Fixture {
  /** Of an index; of an artifact that is a document too; of an alias, for what `root` says it is, else for what can say. */
  readonly request: string;
  /** File of the fixture whose document resolves the alias. */
  readonly root?: string;
  readonly file: string;
  readonly type: string;
  readonly url: string;
  /** The Link header that came with it. */
  readonly link?: string;
  readonly origin: 'recorded' | 'hand-made';
}

export const site: EncodeSite = {
  base: 'http://entrepot.test/mirror',
  options: {},
  rendered: () => undefined,
};

export const fixturesOf = (format: AnyFormat): readonly Fixture[] =>
  JSON.parse(readFileSync(new URL(`./${format.id}/fixtures/manifest.json`, import.meta.url), 'utf8'));

export function documentOf(format: AnyFormat, { file, type, url, link }: Fixture): RawDocument {
  const bytes = readFileSync(new URL(`./${format.id}/fixtures/${file}`, import.meta.url));
  return { bytes, type, url, ...(link === undefined ? {} : { link }) };
}

/** The document that a fixture is, as its request asks for it. */
export function targetOf(format: AnyFormat, fixture: Fixture, accept?: string): IndexTarget {
  const asked = format.parse(get(fixture.request, accept), site);
  const target = asked && indexOf(format, asked, fixture);
  if (target?.kind !== 'index') throw new Error(`${fixture.request} leads to no document of ${format.id}`);
  return target;
}

function indexOf(format: AnyFormat, target: Target, { root: file }: Fixture): Target | undefined {
  if (target.kind === 'artifact') return format.factsOf(target).find(({ path }) => path === target.path);
  if (target.kind !== 'alias') return target;
  if (file === undefined) return target.of[0];
  const root = fixturesOf(format).find((fixture) => fixture.file === file);
  if (!root) throw new Error(`${format.id} has no fixture ${file}`);
  const doc = format.index.decode(documentOf(format, root), targetOf(format, root));
  return format.index.choose?.(doc, target.select, () => undefined);
}

export const get = (path: string, accept?: string, query = ''): ProtocolRequest => ({
  method: 'GET',
  path,
  query,
  accept,
});

export function indexAt(format: AnyFormat, path: string, accept?: string): IndexTarget {
  const target: Target | undefined = format.parse(get(path, accept), site);
  if (target?.kind !== 'index') throw new Error(`${path} is not an index of ${format.id}`);
  return target;
}
