import { alerts, endAlert, packageNames, raiseAlert } from './queries-alerts.ts';
import { fileDates, recordFileDates } from './queries-dates.ts';
import { feed, feedEnd, feedSince, forgetEvents, recordEvents } from './queries-events.ts';
import { check, fact, setFact, stats } from './queries-facts.ts';
import { hostedNames, hostedPackage, publish } from './queries-hosted.ts';
import { recordListing, seen } from './queries-listing.ts';
import { evict, markObject, object, objects, recordObject, refreshObject } from './queries-objects.ts';
import { forgetJournal, journalPositions, loadJournal, loadPulls, pull, pulls } from './queries-pulls.ts';
import { fileFacts, knownReleases, pullSlice, pullsSince, releaseFacts } from './queries-replay.ts';
import { change, resources } from './queries-resources.ts';
import { carriers, isListed, meanings, recordSights } from './queries-sights.ts';

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
  stats,
  alerts,
  packageNames,
};

/** What writes: each in a transaction of its own. */
export const writers = {
  change,
  recordObject,
  refreshObject,
  markObject,
  evict,
  publish,
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
  'forgetJournal',
]);
