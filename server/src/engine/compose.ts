import { type AuditDeps, AuditedSource, type Refusals } from './audited.ts';
import type { FileTable } from './file-table.ts';
import type { AnyFormat } from './format.ts';
import { GuardedSource, type GuardTerms } from './guard/guarded.ts';
import { type HostedDeps, HostedSource } from './hosted/hosted.ts';
import { MeteredSource } from './metered.ts';
import { type RemoteDeps, RemoteSource } from './remote/remote.ts';
import type { Repository } from './repository.ts';
import type { Source } from './source.ts';
import type { Member } from './virtual/members.ts';
import { UnionSource } from './virtual/union.ts';
import { VirtualSource } from './virtual/virtual.ts';

/** How a repository is stacked. Reading this file is reading the system. */

/** A remote, guarded by its own rules: what virtuals have as a member, and what its own address serves. */
export function composeRemote(deps: RemoteDeps & Pick<GuardTerms, 'firstSeen'>): {
  readonly remote: RemoteSource;
  readonly guarded: Source;
} {
  const remote = new RemoteSource(deps);
  const { rules, options } = deps.settings;
  const { format, firstSeen } = deps;
  return { remote, guarded: rules ? new GuardedSource(remote, { format, options, rules, firstSeen }) : remote };
}

/** The declared policy over a repository, as it is asked for through `repositories`: its own address, or a virtual's. */
export function composePolicy(source: Source, terms: GuardTerms): Source {
  return terms.policy ? new GuardedSource(source, terms) : source;
}

/** A hosted repository: what is in it was put there by those who may, so no rule judges it. */
export function composeHosted(deps: HostedDeps): HostedSource {
  return new HostedSource(deps);
}

/** `files`: what the indexes of all repositories list. */
export function composeVirtual(
  name: string,
  format: AnyFormat,
  members: readonly Member[],
  merge: 'first' | 'union',
  files: FileTable,
): Source {
  return merge === 'union' && members.length > 1
    ? new UnionSource(name, format, members, files)
    : new VirtualSource(name, format, members);
}

/** What a repository's address answers with: each request is counted and put on record once, at the address it asked. */
export function composeAddress(
  source: Source,
  { name, format, options }: Addressed,
  deps: AuditDeps,
): { readonly source: Source; readonly refusals: Refusals } {
  const audited = new AuditedSource(source, name, format, options, deps);
  return { source: new MeteredSource(audited, name), refusals: audited };
}

export type Addressed = Pick<Repository, 'name' | 'format' | 'options'>;
