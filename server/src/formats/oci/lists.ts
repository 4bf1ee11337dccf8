import {
  type Body,
  type IndexTarget,
  type Judge,
  Malformed,
  type RawDocument,
  type Release,
  type Site,
} from '../../engine/format.ts';
import { own, parseJson } from '../json.ts';
import { isName, isTag } from './names.ts';
import { linkTo, nextQuery, prefixOf } from './paging.ts';

/** The tags of an image, or the images of a registry. */
export interface List {
  readonly kind: 'tags' | 'catalog';
  /** The image; empty for a catalog. */
  readonly name: string;
  /** Sorted, each once. */
  readonly entries: readonly string[];
  /** Query of the page that follows. */
  readonly next?: string;
}

/** Throws `Malformed`. What no client could ask for is left out. */
export function readList(raw: RawDocument, { name }: IndexTarget): List {
  const what = name === undefined ? 'The catalog' : `The list of tags of ${name}`;
  const json = parseJson(raw.bytes, what);
  const [key, isEntry] = name === undefined ? (['repositories', isName] as const) : (['tags', isTag] as const);
  const entries = own(json, key);
  // A registry written in Go says so of an image without tags.
  if (entries !== null && !Array.isArray(entries)) throw new Malformed(`${what} has no \`${key}\``);
  const next = nextQuery(raw);
  return {
    kind: key === 'tags' ? 'tags' : 'catalog',
    name: name ?? '',
    entries: sorted((entries ?? []).filter((entry: unknown) => typeof entry === 'string' && isEntry(entry))),
    ...(next !== undefined && { next }),
  };
}

export function* releasesOfList({ kind, name, entries }: List): Iterable<Release> {
  if (kind === 'catalog') return;
  for (const tag of entries) yield { name, version: tag, tag, unresolved: true, files: [{ path: pathOf(name, tag) }] };
}

/** An image in a catalog is judged by its name, as anything of it would be. */
export function keepEntries(list: List, judge: Judge): List {
  const subject = (entry: string) => (list.kind === 'tags' ? pathOf(list.name, entry) : entry);
  const entries = list.entries.filter((entry) => judge(subject(entry)) === undefined);
  return entries.length === list.entries.length ? list : { ...list, entries };
}

export function mergeLists(lists: readonly List[]): List {
  const [first] = lists as [List, ...List[]];
  return { ...first, entries: sorted(lists.flatMap(({ entries }) => entries)) };
}

/** Names are written as the client that asks must ask for them. */
export function encodeList({ kind, name, entries }: List, { view, path }: IndexTarget, site: Site): Body {
  const prefix = prefixOf(site);
  const asked = new URLSearchParams(view.slice(kind.length));
  const last = asked.get('last');
  const shown = kind === 'tags' ? entries : entries.map((entry) => `${prefix}${entry}`);
  const rest = last === null ? shown : shown.filter((entry) => entry > last);
  const n = Number(asked.get('n') ?? rest.length);
  const page = rest.slice(0, n);
  const cut = page.at(-1);
  return {
    bytes: JSON.stringify(kind === 'tags' ? { name: `${prefix}${name}`, tags: page } : { repositories: page }),
    type: 'application/json',
    ...(cut !== undefined && rest.length > n && { headers: { link: linkTo(site, path, { n: String(n), last: cut }) } }),
  };
}

const pathOf = (name: string, tag: string): string => `${name}/manifests/${tag}`;

const sorted = (entries: readonly string[]): readonly string[] => [...new Set(entries)].toSorted();
