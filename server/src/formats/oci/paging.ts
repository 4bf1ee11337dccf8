import { Malformed, type RawDocument, type Site } from '../../engine/format.ts';

const NEXT = /<([^<>]*)>\s*;[^<]*\brel\s*=\s*"?next"?/i;

/**
 * The query of the page that follows: all that is taken of an upstream's Link, which often names another path than the
 * registry is reached by. Throws `Malformed` for a page on another host.
 */
export function nextQuery({ link, url }: RawDocument): string | undefined {
  const to = link === undefined ? undefined : NEXT.exec(link)?.[1];
  if (to === undefined) return undefined;
  const next = URL.parse(to, url);
  if (next?.origin !== URL.parse(url)?.origin)
    throw new Malformed(`The next page of ${url} is on another host: ${to.slice(0, 200)}`);
  return next?.search === '' ? undefined : next?.search.slice(1);
}

/** Of a path and a page within it: what names the upstream's document. */
export const pageOf = (path: string, query: string): string => `${path.split('?', 1).join('')}?${query}`;

/** What a client puts before the upstream's names: the repository, where its name is one of theirs. */
export function prefixOf({ base }: Site): string {
  const path = basePath(base);
  const at = path.lastIndexOf('/v2/');
  return at === -1 ? '' : `${path.slice(at + '/v2/'.length)}/`;
}

/** A Link of ours; only a path, because clients know us by more addresses than we do. */
export function linkTo({ base }: Site, path: string, query: Readonly<Record<string, string>>): string {
  return `<${basePath(base)}/${path}?${new URLSearchParams(query)}>; rel="next"`;
}

const basePath = (base: string): string => URL.parse(base)?.pathname.replace(/\/+$/, '') ?? '';
