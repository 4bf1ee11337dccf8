import type { Ruleset } from '../policy/rules.ts';
import { Fault } from './fault.ts';
import type { FirstSeen } from './first-seen.ts';
import type { AnyFormat, ArtifactTarget, Body, CallTarget, IndexTarget } from './format.ts';
import { judge } from './judge.ts';
import type { Ask, Content, Delivery, Listing, MemberListing, PolicyRevision, Scope, Source } from './source.ts';

/** What a guard goes by. */
export interface GuardTerms {
  readonly format: AnyFormat;
  readonly options: Readonly<Record<string, unknown>>;
  /** A repository's own patterns. */
  readonly rules?: Ruleset;
  /** The declared policy, and through which repositories this is asked. */
  readonly policy?: PolicyRevision;
  readonly repositories?: readonly string[];
  readonly firstSeen: FirstSeen;
}

/** The one place where policy decides: the rules that hide a file from an index refuse its bytes. */
export class GuardedSource implements Source {
  readonly inner: Source;
  readonly #terms: GuardTerms;

  constructor(inner: Source, terms: GuardTerms) {
    this.inner = inner;
    this.#terms = terms;
  }

  async index(target: IndexTarget, ask: Ask): Promise<Listing> {
    const listing = await this.inner.index(target, ask);
    return { ...listing, members: await Promise.all(listing.members.map((member) => this.#guarded(target, member))) };
  }

  async artifact(target: ArtifactTarget, ask: Ask): Promise<Delivery> {
    const delivery = await this.inner.artifact(target, ask);
    const { rules, format, options } = this.#terms;
    const { file } = delivery;
    const scope = await this.#scopeOf(delivery, target);
    const isDated = scope !== undefined && isTimed(scope.policy) && needsDate(format) && !delivery.firstParty;
    const lastModified = isDated ? await delivery.lastModified?.() : undefined;
    const judged = { ...file, tag: target.tag, alias: target.alias, lastModified };
    const { refused, until } = judge(judged, { format, options }, rules ? [rules] : [], scope, ask.now);
    if (!refused) return until === undefined ? delivery : { ...delivery, open: () => openUntil(delivery, until) };
    throw new Fault('withheld', `${refused.reason}.`, {
      details: {
        rule: refused.rule,
        package: file.name,
        version: file.version,
        repository: delivery.repository,
        ...(until === undefined ? {} : { until }),
      },
    });
  }

  call(target: CallTarget, ask: Ask): Promise<Body> {
    return this.inner.call(target, ask);
  }

  async #guarded(target: IndexTarget, member: MemberListing): Promise<MemberListing> {
    const { rules, policy, repositories = [], firstSeen } = this.#terms;
    const judged = rules ? { ...member, rules: [...member.rules, rules] } : member;
    if (!policy) return judged;
    const { firstParty = false } = member;
    const generation = member.documents.map(({ digest }) => digest).join(' ');
    const seen =
      target.name !== undefined && isTimed(policy) && !firstParty
        ? { seen: await firstSeen.of(member.repository, target.name, generation) }
        : {};
    return { ...judged, scope: { policy, repositories: merged(member.scope, repositories), firstParty, ...seen } };
  }

  async #scopeOf(
    { repository, file, firstParty = false }: Delivery,
    { path }: ArtifactTarget,
  ): Promise<Scope | undefined> {
    const { policy, repositories = [], firstSeen } = this.#terms;
    if (!policy) return undefined;
    const seen =
      file.name !== undefined && isTimed(policy) && !firstParty
        ? { seen: await firstSeen.of(repository, file.name, `${path} ${file.digest ?? ''}`) }
        : {};
    return { policy, repositories, firstParty, ...seen };
  }
}

/** What was admitted for a while is not kept for longer. */
async function openUntil(delivery: Delivery, until: number): Promise<Content> {
  const content = await delivery.open();
  return { ...content, freshUntil: Math.min(content.freshUntil, until) };
}

function merged(scope: Scope | undefined, repositories: readonly string[]): readonly string[] {
  return [...new Set([...(scope?.repositories ?? []), ...repositories])];
}

function isTimed({ policy: { cooldowns, freezes } }: PolicyRevision): boolean {
  return cooldowns.length + freezes.length > 0;
}

function needsDate({ traits }: AnyFormat): boolean {
  return traits.evidence === 'last_modified' || traits.evidence === 'details';
}
