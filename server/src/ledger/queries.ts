import { alerts, endAlert, packageNames, raiseAlert } from './queries-alerts.ts';
import { fileDates, recordFileDates } from './queries-dates.ts';
import { feed, feedEnd, feedSince, forgetEvents, recordEvents } from './queries-events.ts';
import { check, claimFact, fact, marks, removing, setFact, stats } from './queries-facts.ts';
import { hostedNames, hostedPackage, publish } from './queries-hosted.ts';
import { recordListing, seen } from './queries-listing.ts';
import { evict, markObject, object, objects, recordObject, refreshObject } from './queries-objects.ts';
import { forgetJournal, journalPositions, loadJournal, loadPulls, pull, pulls } from './queries-pulls.ts';
import { fileFacts, knownReleases, pullSlice, pullsSince, releaseFacts } from './queries-replay.ts';
import { change, resources } from './queries-resources.ts';
import { carriers, isListed, meanings, recordSights } from './queries-sights.ts';
import {
  blobs,
  buried,
  condemn,
  disown,
  dying,
  evictUnused,
  holders,
  leastUsed,
  markUnmeant,
  oldEvidence,
  reserve,
  sizes,
} from './queries-space.ts';

/** What only reads; runs beside a writer. */
export const readers = {
  resources,
  seen,
  isListed,
  meanings,
  carriers,
  fileDates,
  object,
  objects,
  hostedPackage,
  hostedNames,
  leastUsed,
  oldEvidence,
  dying,
  blobs,
  holders,
  sizes,
  journalPositions,
  pulls,
  pull,
  pullsSince,
  pullSlice,
  fileFacts,
  knownReleases,
  releaseFacts,
  feedEnd,
  feedSince,
  feed,
  fact,
  marks,
  stats,
  alerts,
  packageNames,
};

/** What writes: each in a transaction of its own. */
export const writers = {
  change,
  recordObject,
  refreshObject,
  markObject: removing(markObject),
  evict: removing(evict),
  evictUnused: removing(evictUnused),
  condemn,
  buried,
  reserve,
  disown,
  markUnmeant,
  publish: removing(publish),
  recordListing,
  recordSights,
  recordFileDates,
  loadPulls,
  loadJournal,
  forgetJournal,
  recordEvents,
  forgetEvents,
  raiseAlert,
  endAlert,
  setFact,
  claimFact,
  check,
};

/**
 * Acknowledged to somebody who will not say it again: these survive a loss of power, not only the end of the process. A
 * segment of the journal is removed after `forgetJournal`, so until then it still has what a loss of power undid.
 */
export const durable: ReadonlySet<string> = new Set<keyof typeof writers>([
  'change',
  'publish',
  'setFact',
  'claimFact',
  'forgetJournal',
]);

/** Milliseconds for what a request waits for. */
export const PROMPT = 10_000;

/** Milliseconds for what is done behind requests or goes over much of a table; every other call is prompt. */
const PATIENCE: Readonly<Partial<Record<keyof typeof readers | keyof typeof writers, number>>> = {
  // Asked by load balancers, which wait a few seconds themselves.
  check: 3000,
  // Asked twice a second.
  marks: 3000,
  loadPulls: 60_000,
  loadJournal: 60_000,
  evict: 300_000,
  forgetEvents: 300_000,
  evictUnused: 60_000,
  leastUsed: 60_000,
  oldEvidence: 60_000,
  sizes: 60_000,
  pullsSince: 60_000,
  pullSlice: 60_000,
  fileFacts: 60_000,
  knownReleases: 60_000,
  releaseFacts: 60_000,
  stats: 60_000,
};

/** Milliseconds that a call may take before it is given up. */
export function patience(call: string): number {
  return Object.entries(PATIENCE).find(([name]) => name === call)?.[1] ?? PROMPT;
}
