import { AuditedSource, type PullJournal } from './audited.ts';
import type { AnyFormat } from './format.ts';
import { GuardedSource } from './guarded.ts';
import { MeteredSource } from './metered.ts';
import type { Metrics } from './metrics.ts';
import { type RemoteDeps, RemoteSource } from './remote.ts';
import type { Source } from './source.ts';
import { type Member, VirtualSource } from './virtual.ts';

/** How a repository is stacked. Reading this file is reading the system. */

/** A remote, guarded by its own rules: what virtuals have as a member, and what its own address serves. */
export function composeRemote(deps: RemoteDeps): { readonly remote: RemoteSource; readonly guarded: Source } {
  const remote = new RemoteSource(deps);
  return { remote, guarded: deps.settings.rules ? new GuardedSource(remote, deps.settings.rules) : remote };
}

export function composeVirtual(name: string, format: AnyFormat, members: readonly Member[]): Source {
  return new VirtualSource(name, format, members);
}

/** What a repository's address answers with: each request is counted and put on record once, at the address it asked. */
export function composeAddress(source: Source, name: string, format: AnyFormat, deps: AddressDeps): Source {
  const audited = new AuditedSource(source, name, format, deps.journal, deps.strictAudit ?? false);
  return new MeteredSource(audited, name, deps.metrics);
}

export interface AddressDeps {
  readonly journal: PullJournal;
  readonly metrics: Metrics;
  /** A pull that cannot be put on record at once is not served. */
  readonly strictAudit?: boolean;
}
