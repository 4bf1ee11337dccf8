import { REPOSITORY_KINDS } from '../app/change.ts';
import type { ResourceRow } from '../ledger/ledger.ts';
import { masked } from '../schema/schema.ts';
import type { Site } from './dependencies.ts';

/** A resource as the management API shows it: the spec as declared, without its secrets, and what the server says of it. */
export interface Envelope {
  readonly name: string;
  readonly spec: Readonly<Record<string, unknown>>;
  /** `repository_url` of a repository. */
  readonly status: { readonly repository_url?: string };
  readonly revision: number;
  readonly managed_by: string;
  /** RFC 3339. */
  readonly created_at: string;
  readonly updated_at: string;
}

export function envelope(row: ResourceRow, site: Site): Envelope {
  return {
    name: row.name,
    spec: masked(row.kind, row.spec),
    status: REPOSITORY_KINDS.includes(row.kind) ? { repository_url: `${site.origin}/${row.name}` } : {},
    revision: row.revision,
    managed_by: row.managedBy,
    created_at: new Date(row.createdAt).toISOString(),
    updated_at: new Date(row.updatedAt).toISOString(),
  };
}

/** What a dry run answers: what would be stored, and what it would do. */
export interface Rehearsed extends Envelope {
  readonly warnings: readonly string[];
}

export function etag(revision: number): string {
  return `"${revision}"`;
}
