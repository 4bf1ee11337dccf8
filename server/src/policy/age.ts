import type { Age, Dated, Evidence, Rejected } from './evidence.ts';
import type { AuthorTimes } from './policy.ts';

/** Clocks that were never set, in any time zone. */
const EPOCH = 2 * 86_400_000;
/** The end of what a date can be. */
const LATEST = 8.64e15;

/**
 * A server's word over Last-Modified over an author's, which counts for what stood in the first listing alone: after that
 * he could have backdated it, and the time of the first sight counts. First seen is not age: it counts where the format
 * has nothing better.
 */
export function ageOf(
  candidate: { readonly dated: Dated; readonly evidence: Evidence },
  authorTimes: AuthorTimes,
  now: number,
): Age {
  const { dated, evidence } = candidate;
  const rejected: Rejected[] = [];
  const age = found(dated, evidence, authorTimes, (source, at) => {
    const why = implausible(at, now);
    if (why) rejected.push({ source, at, why });
    return why === undefined;
  });
  const byAuthor = evidence.index?.by === 'author' && age.source !== 'author' && dated !== 'none';
  if (byAuthor && !rejected.some(({ source }) => source === 'author'))
    rejected.push({ source: 'author', at: evidence.index.at, why: 'author' });
  return rejected.length > 0 ? { ...age, rejected } : age;
}

/** The next moment at which a time that is in the future now would count. */
export function agesAnewAt({ rejected }: Age): number | undefined {
  const future = rejected?.filter(({ why, at }) => why === 'future' && at <= LATEST).map(({ at }) => at);
  return future?.toSorted((one, other) => one - other)[0];
}

type Counts = (source: Rejected['source'], at: number) => boolean;

function found(dated: Dated, evidence: Evidence, authorTimes: AuthorTimes, counts: Counts): Age {
  const { index, lastModified, firstSeen } = evidence;
  if (dated === 'none') return sinceFirstSeen(firstSeen, counts);
  if (index?.by === 'server' && counts('server', index.at)) return { source: 'server', at: index.at };
  if (lastModified !== undefined && counts('last-modified', lastModified))
    return { source: 'last-modified', at: lastModified };
  if (index?.by !== 'author' && dated !== 'author') return UNKNOWN;
  if (authorTimes === 'baseline' && firstSeen?.baseline)
    return index?.by === 'author' && counts('author', index.at) ? { source: 'author', at: index.at } : UNKNOWN;
  // Without the author's word nothing tells what is old in the first listing: all of it is as young as that.
  return firstSeen && counts('first-seen', firstSeen.at) ? { source: 'first-seen', at: firstSeen.at } : UNKNOWN;
}

function sinceFirstSeen(firstSeen: Evidence['firstSeen'], counts: Counts): Age {
  // Whatever our own clock was worth then, it was the first listing.
  if (firstSeen?.baseline) return { source: 'baseline', at: firstSeen.at };
  return firstSeen && counts('first-seen', firstSeen.at) ? { source: 'first-seen', at: firstSeen.at } : UNKNOWN;
}

const UNKNOWN: Age = { source: 'none' };

function implausible(at: number, now: number): 'future' | 'epoch' | undefined {
  // Not a number counts as absent, in the words for a clock that was never set.
  if (!(at >= EPOCH)) return 'epoch';
  return at > now ? 'future' : undefined;
}
