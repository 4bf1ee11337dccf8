import { readFileSync } from 'node:fs';
import type { AnyFormat, EncodeSite, IndexTarget, ProtocolRequest, RawDocument, Target } from '../engine/format.ts';

/** One entry of a format's `fixtures/manifest.json`: a document, and the request that leads to it. */
export interface Fixture {
  readonly request: string;
  readonly file: string;
  readonly type: string;
  readonly url: string;
  readonly origin: 'recorded' | 'hand-made';
}

export const site: EncodeSite = {
  base: 'http://entrepot.test/mirror',
  options: {},
  rendered: () => undefined,
};

export const fixturesOf = (format: AnyFormat): readonly Fixture[] =>
  JSON.parse(readFileSync(new URL(`./${format.id}/fixtures/manifest.json`, import.meta.url), 'utf8'));

export function documentOf(format: AnyFormat, { file, type, url }: Fixture): RawDocument {
  return { bytes: readFileSync(new URL(`./${format.id}/fixtures/${file}`, import.meta.url)), type, url };
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
