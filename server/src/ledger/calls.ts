import type { Ledger } from './ledger.ts';
import type { readers, writers } from './queries.ts';

type Arguments<Query> = Query extends (manager: never, ...args: infer Rest) => unknown ? Rest : never;
type Result<Query> = Query extends (...args: never[]) => Promise<infer Value> ? Promise<Value> : never;

/** Runs a query by its name, here or in another thread. */
type Calls<Queries> = <Name extends keyof Queries & string>(
  name: Name,
  ...args: Arguments<Queries[Name]>
) => Result<Queries[Name]>;

export type Read = Calls<typeof readers>;
export type Write = Calls<typeof writers>;

/** A ledger from the two ways to its queries. Imports none of them: the serving thread loads no database driver. */
export function ledgerOver(read: Read, write: Write, close: () => Promise<void>): Ledger {
  return {
    resources: () => read('resources'),
    change: (changes, at) => write('change', changes, at),
    object: (repository, path) => read('object', repository, path),
    recordObject: (object) => write('recordObject', object),
    refreshObject: (repository, path, freshness, digest) => write('refreshObject', repository, path, freshness, digest),
    markObject: (repository, path, mark) => write('markObject', repository, path, mark),
    objects: (filter, page) => read('objects', filter, page),
    evict: (filter, at) => write('evict', filter, at),
    leastUsed: (filter) => read('leastUsed', filter),
    oldEvidence: (before, limit) => read('oldEvidence', before, limit),
    evictUnused: (found, at) => write('evictUnused', found, at),
    condemn: (before, limit, at) => write('condemn', before, limit, at),
    dying: (before, limit) => read('dying', before, limit),
    buried: (digests) => write('buried', digests),
    reserve: (blob, until, at) => write('reserve', blob, until, at),
    disown: (found, at) => write('disown', found, at),
    markUnmeant: (digests, at) => write('markUnmeant', digests, at),
    blobs: (page) => read('blobs', page),
    holders: (digests) => read('holders', digests),
    sizes: () => read('sizes'),
    hostedPackage: (repository, name) => read('hostedPackage', repository, name),
    hostedNames: (repository) => read('hostedNames', repository),
    publish: (change) => write('publish', change),
    seen: (repository, name) => read('seen', repository, name),
    recordListing: (listing) => write('recordListing', listing),
    recordSights: (sights) => write('recordSights', sights),
    isListed: (repository, name) => read('isListed', repository, name),
    meanings: (repository, name) => read('meanings', repository, name),
    carriers: (repository, name, digest) => read('carriers', repository, name, digest),
    fileDates: (repository, upstream, paths) => read('fileDates', repository, upstream, paths),
    recordFileDates: (repository, upstream, dates) => write('recordFileDates', repository, upstream, dates),
    loadPulls: (rows, position) => write('loadPulls', rows, position),
    loadJournal: (lines, position) => write('loadJournal', lines, position),
    journalPositions: () => read('journalPositions'),
    forgetJournal: (segment) => write('forgetJournal', segment),
    pulls: (filter, page) => read('pulls', filter, page),
    pull: (id) => read('pull', id),
    pullsSince: (since, newest) => read('pullsSince', since, newest),
    pullSlice: (from, until, size) => read('pullSlice', from, until, size),
    fileFacts: (repository, paths) => read('fileFacts', repository, paths),
    releaseFacts: (repository, asked) => read('releaseFacts', repository, asked),
    knownReleases: (repository, names) => read('knownReleases', repository, names),
    recordEvents: (events) => write('recordEvents', events),
    forgetEvents: (before) => write('forgetEvents', before),
    feedEnd: () => read('feedEnd'),
    feedSince: (since) => read('feedSince', since),
    feed: (filter) => read('feed', filter),
    raiseAlert: (alert) => write('raiseAlert', alert),
    endAlert: (key, at) => write('endAlert', key, at),
    alerts: (filter, page) => read('alerts', filter, page),
    packageNames: (repository, page) => read('packageNames', repository, page),
    fact: (key) => read('fact', key),
    setFact: (key, value) => write('setFact', key, value),
    marks: () => read('marks'),
    claimFact: (key, value) => write('claimFact', key, value),
    stats: () => read('stats'),
    check: () => write('check'),
    close,
  };
}
