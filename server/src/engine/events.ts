import type { ObjectRow } from '../ledger/ledger.ts';

/** What happened to a repository, for whoever watches; pulls are told of by their own rows. */
export interface EngineEvent {
  readonly kind: Exclude<EventKind, 'served' | 'refused' | 'observed'>;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Empty where it is about none. */
  readonly repository: string;
  /** What the kind says beside it; plain JSON. */
  readonly details: Readonly<Record<string, unknown>>;
}

/**
 * `served`, `refused`, `observed`: said by the rows of pulls alone. `alert`: something a person should look at, once for as
 * long as it lasts: a public package under a private name, one version with two contents.
 */
export const EVENT_KINDS = [
  'fetched',
  'served',
  'refused',
  'observed',
  'evicted',
  'published',
  'changed',
  'upstream_down',
  'upstream_up',
  'alert',
] as const;

export type EventKind = (typeof EVENT_KINDS)[number];

/** Where the engine says what happened. Never throws, never waits. */
export interface Events {
  emit(event: EngineEvent): void;
}

/** Something came from an upstream and is kept. */
export function fetched({ repository, path, kind, purl, digest, size, fetchedAt }: ObjectRow): EngineEvent {
  const details = { path, kind, ...(purl === undefined ? {} : { purl }), digest, size };
  return { kind: 'fetched', at: fetchedAt, repository, details };
}

/** For what nobody watches. */
export const SILENT: Events = { emit: () => {} };
