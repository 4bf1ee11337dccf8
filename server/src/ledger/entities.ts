import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm';
import type { EventRow, JournalPosition, ManagedBy, ObjectRow, PullRow } from './ledger.ts';

/*
 * Facts as rows. The tables are made by the migrations, never from these; names and types here must say the same.
 * Nothing refers to another entity: rows are joined where a query needs it.
 */

export interface ResourceEntity {
  readonly kind: string;
  readonly name: string;
  /** JSON, as declared: the order of keys is the writer's. */
  readonly spec: string;
  readonly revision: number;
  readonly managedBy: ManagedBy;
  readonly retiring: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface PackageEntity {
  readonly repository: string;
  readonly name: string;
  readonly format: string;
  readonly firstSeenAt: number;
  /** When a listing of it was first recorded; null while only single files were. */
  readonly listedAt: number | null;
}

export interface ReleaseEntity {
  readonly repository: string;
  readonly name: string;
  readonly version: string;
  readonly firstSeenAt: number;
  /** Stood in the first listing of its package: its being seen then says nothing about its age. */
  readonly baseline: boolean;
  readonly publishedAt: number | null;
  readonly publishedBy: 'server' | 'author' | null;
  readonly yanked: boolean;
}

/** `package`: the package URL without version. `usedAt`: what whoever makes room goes by. */
export type ObjectEntity = Nullable<ObjectRow & { readonly package?: string; readonly usedAt: number }>;

export interface BlobEntity {
  readonly digest: string;
  readonly size: number;
  readonly createdAt: number;
  /** Since when no object has meant it; which objects do is asked of the objects themselves. */
  readonly orphanedAt: number | null;
  /** Since when it is being deleted: no object may mean it until it is gone. */
  readonly deletingAt: number | null;
  /** Until then nobody deletes it, though nothing means it yet. */
  readonly reservedUntil: number;
}

/** How often a path of a repository was served, kept when pulls are loaded; outlives the object. */
export interface PullCountEntity {
  readonly repository: string;
  readonly path: string;
  readonly pulls: number;
  readonly lastPulledAt: number;
}

export interface AlertEntity {
  readonly id: number;
  readonly kind: string;
  readonly repository: string;
  readonly member: string;
  readonly name: string;
  readonly since: number;
  readonly lastSeenAt: number;
  readonly endedAt: number | null;
  /** JSON. */
  readonly details: string;
}

/** A fact that the transparency log will commit to, written in the transaction that makes it true. */
export interface LogPendingEntity {
  readonly id?: number;
  readonly kind: string;
  /** JSON. */
  readonly leaf: string;
  /** A fact is said once. */
  readonly dedupeKey: string;
  readonly at: number;
}

/** `seq`: the order in which rows were loaded. */
export type PullEntity = PullRow & { readonly seq: number };

/** What happened beside pulls. `details`: JSON. */
export type EventEntity = EventRow & { readonly id?: number };

export interface FactEntity {
  readonly key: string;
  readonly value: string;
}

/** What a row may lack its columns hold as null. */
type Nullable<Row> = { [Key in keyof Row]: undefined extends Row[Key] ? Row[Key] | null : Row[Key] };

const key = { type: 'text', primary: true } as const;
const text = { type: 'text' } as const;
const optionalText = { type: 'text', nullable: true } as const;
const number = { type: 'bigint' } as const;
const optionalNumber = { type: 'bigint', nullable: true } as const;
const flag = { type: 'boolean' } as const;
const named = <Column extends EntitySchemaColumnOptions>(name: string, column: Column) => ({ ...column, name });

export const resources = new EntitySchema<ResourceEntity>({
  name: 'resource',
  columns: {
    kind: key,
    name: key,
    spec: text,
    revision: number,
    managedBy: named('managed_by', text),
    retiring: flag,
    createdAt: named('created_at', number),
    updatedAt: named('updated_at', number),
  },
});

export const packages = new EntitySchema<PackageEntity>({
  name: 'package',
  columns: {
    repository: key,
    name: key,
    format: text,
    firstSeenAt: named('first_seen_at', number),
    listedAt: named('listed_at', optionalNumber),
  },
});

export const releases = new EntitySchema<ReleaseEntity>({
  name: 'release',
  columns: {
    repository: key,
    name: key,
    version: key,
    firstSeenAt: named('first_seen_at', number),
    baseline: flag,
    publishedAt: named('published_at', optionalNumber),
    publishedBy: named('published_by', optionalText),
    yanked: flag,
  },
});

export const objects = new EntitySchema<ObjectEntity>({
  name: 'object',
  columns: {
    repository: key,
    path: key,
    format: text,
    kind: text,
    role: text,
    digest: text,
    size: number,
    type: text,
    url: text,
    upstream: text,
    tag: text,
    expected: optionalText,
    fetchedAt: named('fetched_at', number),
    checkedAt: named('checked_at', number),
    freshUntil: named('fresh_until', number),
    etag: optionalText,
    lastModified: named('last_modified', optionalText),
    name: optionalText,
    version: optionalText,
    purl: optionalText,
    package: optionalText,
    publishedAt: named('published_at', optionalNumber),
    publishedBy: named('published_by', optionalText),
    link: optionalText,
    retractedAt: named('retracted_at', optionalNumber),
    disputed: optionalText,
    usedAt: named('used_at', number),
    fence: optionalNumber,
  },
});

export const blobs = new EntitySchema<BlobEntity>({
  name: 'blob',
  columns: {
    digest: key,
    size: number,
    createdAt: named('created_at', number),
    orphanedAt: named('orphaned_at', optionalNumber),
    deletingAt: named('deleting_at', optionalNumber),
    reservedUntil: named('reserved_until', { ...number, default: 0 }),
  },
});

export const pulls = new EntitySchema<PullEntity>({
  name: 'pull',
  columns: {
    seq: { type: 'bigint', primary: true, generated: 'increment' },
    id: text,
    at: number,
    repository: text,
    format: text,
    path: text,
    role: text,
    package: optionalText,
    version: optionalText,
    digest: optionalText,
    size: optionalNumber,
    member: optionalText,
    upstream: optionalText,
    cache: text,
    decision: text,
    rule: optionalText,
    observed: optionalText,
    verdict: optionalText,
    principal: text,
    consumer: optionalText,
    client: optionalText,
    address: optionalText,
    requestId: named('request_id', text),
    aborted: { type: 'boolean', nullable: true },
  },
});

export const pullCounts = new EntitySchema<PullCountEntity>({
  name: 'pull_count',
  columns: { repository: key, path: key, pulls: number, lastPulledAt: named('last_pulled_at', number) },
});

export const logPending = new EntitySchema<LogPendingEntity>({
  name: 'log_pending',
  columns: {
    id: { type: 'bigint', primary: true, generated: 'increment' },
    kind: text,
    leaf: text,
    dedupeKey: named('dedupe_key', text),
    at: number,
  },
});

export const journalPositions = new EntitySchema<JournalPosition>({
  name: 'journal_position',
  columns: { segment: key, offset: named('loaded', number) },
});

export const events = new EntitySchema<EventEntity>({
  name: 'event',
  columns: {
    id: { type: 'bigint', primary: true, generated: 'increment' },
    kind: text,
    at: number,
    repository: text,
    details: text,
  },
});

export const alerts = new EntitySchema<AlertEntity>({
  name: 'alert',
  columns: {
    id: { type: 'bigint', primary: true, generated: 'increment' },
    kind: text,
    repository: text,
    member: text,
    name: text,
    since: number,
    lastSeenAt: named('last_seen_at', number),
    endedAt: named('ended_at', optionalNumber),
    details: text,
  },
});

export const facts = new EntitySchema<FactEntity>({ name: 'fact', columns: { key, value: text } });

export const entities = [
  resources,
  packages,
  releases,
  objects,
  blobs,
  pulls,
  pullCounts,
  logPending,
  journalPositions,
  events,
  alerts,
  facts,
];
