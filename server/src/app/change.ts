import type { ResourceRow } from '../ledger/ledger.ts';

/** One change of the declared resources, as somebody asks for it. */
export type Change = PutChange | DeleteChange;

interface CommonChange {
  readonly kind: string;
  readonly name: string;
  readonly expected?: Expected;
  /** Makes a retry harmless: the outcome of a key is remembered for an hour. */
  readonly key?: string;
}

export interface PutChange extends CommonChange {
  readonly op: 'put';
  /** Not validated yet. */
  readonly spec: unknown;
}

export interface DeleteChange extends CommonChange {
  readonly op: 'delete';
  /** `retire`: while something uses it, it goes on serving and goes with its last user. Default: refused then. */
  readonly inUse?: 'refuse' | 'retire';
}

/** What must hold for a change to be made. */
export type Expected =
  | { readonly state: 'absent'; readonly otherwise: 'conflict' | 'precondition_failed' }
  | { readonly state: 'present' }
  | { readonly state: 'at'; readonly revisions: readonly number[] };

export interface Outcome {
  readonly change: Change;
  /** False: what was asked for was so already. */
  readonly changed: boolean;
  /** As it is now; of a delete, as it was. Its spec holds secrets. */
  readonly row: ResourceRow;
  readonly created: boolean;
}

export type Resources = ReadonlyMap<string, ResourceRow>;

export function keyOf({ kind, name }: { readonly kind: string; readonly name: string }): string {
  return `${kind}/${name}`;
}

/** Kinds whose resources are repositories: they share one space of names, the first segment of an address. */
export const REPOSITORY_KINDS: readonly string[] = ['remote', 'hosted', 'virtual'];
