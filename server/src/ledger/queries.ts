import { check, fact, setFact, stats } from './queries-facts.ts';
import { hostedNames, hostedPackage, publish } from './queries-hosted.ts';
import { recordListing, seen } from './queries-listing.ts';
import { evict, markObject, object, objects, recordObject, refreshObject } from './queries-objects.ts';
import { forgetJournal, journalPositions, loadJournal, loadPulls, pulls } from './queries-pulls.ts';
import { change, resources } from './queries-resources.ts';

/** What only reads; runs beside a writer. */
export const readers = {
  resources,
  seen,
  object,
  objects,
  hostedPackage,
  hostedNames,
  journalPositions,
  pulls,
  fact,
  stats,
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
  loadPulls,
  loadJournal,
  forgetJournal,
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
