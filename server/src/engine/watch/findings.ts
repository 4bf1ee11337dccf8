import type { AnyFormat, IndexTarget, Release } from '../format.ts';
import type { MemberListing } from '../source.ts';
import { claimOf } from '../virtual/claims.ts';

/** What a person should look at, found while an index was made of what members have. Plain data: it crosses threads. */
export interface Findings {
  readonly conflicts: readonly Conflict[];
  readonly foreign: readonly ForeignName[];
}

export const NOTHING: Findings = { conflicts: [], foreign: [] };

/** Two members have one release with different bytes; the first one's are served. */
export interface Conflict {
  readonly name: string;
  readonly version: string;
  readonly path: string;
  /** Positions of the members, and what each announces, in the same order. */
  readonly members: readonly [number, number];
  readonly digests: readonly [string, string];
}

/** A list of packages has a name that is claimed for others; it is left out. */
export interface ForeignName {
  readonly name: string;
  /** Position of the member that has it. */
  readonly member: number;
  readonly virtual: string;
  readonly rule: string;
}

/** Of one document. */
const MOST = 200;

/** A member's list of packages without those of others. `found`: what was left out, as far as there is room. */
export function ownPart(
  format: AnyFormat,
  doc: unknown,
  target: IndexTarget,
  member: { readonly at: number; readonly foreign: MemberListing['foreign'] },
  found: ForeignName[],
): unknown {
  const { at, foreign = [] } = member;
  if (foreign.length === 0 || target.name !== undefined || !format.index.unlisted) return doc;
  return format.index.unlisted(doc, (name) => {
    let isForeign = false;
    for (const one of foreign) {
      const by = claimOf(one, name);
      if (by && found.length < MOST) found.push({ name, member: at, virtual: one.virtual, rule: by.rule });
      isForeign ||= by !== undefined;
    }
    return isForeign;
  });
}

/** Compared where both announce a digest of one kind: by path; by release, where it is one file in both. */
export function conflictsOf(
  format: AnyFormat,
  docs: readonly { readonly at: number; readonly doc: unknown }[],
): readonly Conflict[] {
  if (docs.length < 2) return [];
  const known = new Map<string, Announced>();
  return docs.flatMap(({ at, doc }) => {
    const all = [...format.index.releases(doc)].flatMap((release) => announcedOf(release, at));
    const conflicts = all.flatMap((one) => {
      const first = known.get(one.key);
      const digests = first && differingOf(first.digests, one.digests);
      const { name, version, path } = one;
      return first && digests ? [{ name, version, path, members: [first.at, at] as const, digests }] : [];
    });
    for (const one of all) if (!known.has(one.key)) known.set(one.key, one);
    return conflicts.slice(0, MOST);
  });
}

/** What a member says of one file. */
interface Announced {
  readonly at: number;
  /** Equal for what must have the same bytes. */
  readonly key: string;
  readonly name: string;
  readonly version: string;
  readonly path: string;
  readonly digests: readonly string[];
}

function announcedOf({ name, version, files }: Release, at: number): readonly Announced[] {
  const packages = files.filter(({ role = 'package' }) => role === 'package');
  return packages.map(({ path, digest, alsoDigest }) => ({
    at,
    key: packages.length === 1 ? `${name}\0${version}` : path,
    name,
    version,
    path,
    digests: [digest, alsoDigest].filter((one) => one !== undefined),
  }));
}

function differingOf(first: readonly string[], others: readonly string[]): readonly [string, string] | undefined {
  for (const one of first) {
    const other = others.find((each) => kindOf(each) === kindOf(one) && each !== one);
    if (other !== undefined) return [one, other];
  }
  return undefined;
}

const kindOf = (digest: string): string => digest.slice(0, digest.indexOf(':'));
