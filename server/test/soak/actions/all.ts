import type { Action } from './action.ts';
import { browse, browseOwn } from './browse.ts';
import { fetchOwn, fetchTwice, fetchWhole, head, leave, missing, range, revalidate } from './fetch.ts';
import { block, evict, lift, look } from './manage.ts';
import { publishFile, publishPackage } from './publish.ts';

export const ACTIONS: readonly Action[] = [
  browse,
  browseOwn,
  fetchWhole,
  fetchOwn,
  fetchTwice,
  head,
  leave,
  missing,
  range,
  revalidate,
  block,
  evict,
  lift,
  look,
  publishFile,
  publishPackage,
];
