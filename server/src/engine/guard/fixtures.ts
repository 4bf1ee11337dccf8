import { cooldown, DAY, exemption, NOW, pattern, policy } from '../../policy/fixtures.ts';
import type { Policy } from '../../policy/policy.ts';
import type { Ruleset } from '../../policy/rules.ts';
import { Fault } from '../fault.ts';
import type { AnyFormat, ArtifactTarget, IndexTarget } from '../format.ts';
import type { Ask, Content, Delivery, Listing, MemberListing, Source, SourceDocument } from '../source.ts';
import { FirstSeen } from './first-seen.ts';
import { GuardedSource, type GuardTerms } from './guarded.ts';

export const ask: Ask = { now: NOW, requestId: 'r', principal: 'anonymous' };
export const index: IndexTarget = { kind: 'index', path: 'x', name: 'x', scope: 'package', view: 'full' };
export const tarball: ArtifactTarget = {
  kind: 'artifact',
  path: 'x-1.tgz',
  name: 'x',
  version: '1.0.0',
  role: 'package',
};
export const open: Ruleset = { repository: 'npm-public', patterns: [], blocklist: [], banTags: [] };
export const WEEK: Partial<Policy> = { cooldowns: [cooldown({ otherwise: 7 * DAY })] };
export const BLOCK: Partial<Policy> = { blocks: [{ name: 'bad', packages: [pattern('pkg:npm/x')] }] };
export const LIFTED: Partial<Policy> = { ...WEEK, exemptions: [exemption(['pkg:npm/x'])] };
export const TRIAL: Partial<Policy> = { cooldowns: [cooldown({ name: 'trial', otherwise: 7 * DAY, mode: 'observe' })] };
export const young = { at: NOW - DAY, by: 'server' as const };
export const old = { at: NOW - 8 * DAY, by: 'server' as const };

export const document = (digest: string): SourceDocument => ({
  target: index,
  digest,
  size: 1,
  type: 'application/json',
  url: 'https://upstream.test/x',
  since: 0,
});
export const member = (given: Partial<MemberListing> = {}): MemberListing => ({
  repository: 'npm-public',
  documents: [document('sha256:aa')],
  rules: [],
  options: {},
  ...given,
});
export const content = (given: Partial<Content> = {}) => ({
  cache: 'hit' as const,
  type: 'application/octet-stream',
  tag: 't',
  body: { release: () => undefined } as unknown as Content['body'],
  freshUntil: Number.POSITIVE_INFINITY,
  settle: () => Promise.resolve(),
  ...given,
});
export const delivery = (given: Partial<Delivery> = {}, file: Partial<Delivery['file']> = {}): Delivery => ({
  repository: 'npm-public',
  file: { path: 'x-1.tgz', role: 'package', name: 'x', version: '1.0.0', ...file },
  open: () => Promise.resolve(content()),
  ...given,
});

export interface Given {
  readonly rules?: Partial<Policy>;
  readonly evidence?: AnyFormat['traits']['evidence'];
  readonly terms?: Partial<GuardTerms>;
  readonly firstSeenAt?: number;
  /** Epoch milliseconds by version, in place of 1.0.0 at `firstSeenAt`. */
  readonly sights?: Readonly<Record<string, number>>;
}

/** A guard over a source that answers with what is given, and which packages it asked the ledger about. */
export function guarded(inner: Partial<Source>, given: Given = {}) {
  const { rules, evidence = 'index', terms, firstSeenAt = NOW, sights = { '1.0.0': firstSeenAt } } = given;
  const asked: string[] = [];
  const firstSeen = new FirstSeen({
    seen: (repository, name) => {
      asked.push(`${repository} ${name}`);
      const listed = Object.entries(sights);
      return Promise.resolve(listed.map(([version, at]) => ({ version, firstSeenAt: at, baseline: false })));
    },
  });
  const guard = new GuardedSource(inner as Source, {
    format: { id: 'npm', traits: { purl: 'npm', evidence } } as AnyFormat,
    options: {},
    ...(rules && { policy: { id: 'r7', policy: policy(rules) }, repositories: ['npm', 'npm-public'] }),
    firstSeen,
    ...terms,
  });
  return { guard, asked };
}
export const listing = (
  given: Given & { readonly members?: readonly MemberListing[]; readonly freshUntil?: number } = {},
) => {
  const { members = [member()], freshUntil = NOW + DAY } = given;
  return guarded({ index: (): Promise<Listing> => Promise.resolve({ members, cache: 'hit', freshUntil }) }, given);
};
export const file = (given: Delivery, terms: Given = {}) => guarded({ artifact: () => Promise.resolve(given) }, terms);
export const refusal = async (given: Delivery, terms: Given = {}, target = tarball): Promise<Fault> => {
  const refused = await file(given, terms)
    .guard.artifact(target, ask)
    .catch((error: unknown) => error);
  if (!(refused instanceof Fault)) throw new Error('it was not refused');
  return refused;
};
