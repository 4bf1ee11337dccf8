import { horizon } from '../../policy/horizon.ts';
import type { Ruleset } from '../../policy/rules.ts';
import { Fault } from '../fault.ts';
import type { AnyFormat, ArtifactTarget, Body, CallTarget, IndexTarget } from '../format.ts';
import { packageOf } from '../purl.ts';
import { dateOf } from '../remote/dates.ts';
import type {
  Ask,
  Content,
  Delivery,
  FileFacts,
  Listing,
  MemberListing,
  PolicyRevision,
  Scope,
  Source,
} from '../source.ts';
import type { FirstSeen } from './first-seen.ts';
import { type Judged, judge, type Verdict } from './judge.ts';
import { judgePart, judgeRelease, type PartTerms } from './parts.ts';
import type { Ruling } from './ruling.ts';

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

interface NamedPart {
  readonly delivery: Delivery;
  readonly carriers: NonNullable<Delivery['carriers']>;
  readonly scope: Scope;
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
    const members = await Promise.all(listing.members.map((member) => this.#guarded(target, member, ask)));
    const isWhole = members.every(({ scope }) => scope?.dates?.complete !== false);
    return { ...listing, members, ...(isWhole ? {} : { freshUntil: Math.min(listing.freshUntil, ask.now) }) };
  }

  async artifact(target: ArtifactTarget, ask: Ask): Promise<Delivery> {
    const delivery = await this.inner.artifact(target, ask);
    const { rules, format, options } = this.#terms;
    const { scope, isTimed } = await this.#scopeOf(delivery, target, ask);
    const { carriers } = delivery;
    if (scope && target.part !== undefined && carriers) return this.#part(target, { delivery, carriers, scope }, ask);
    const file = isTimed ? await described(delivery) : delivery.file;
    const judged = (lastModified: number | undefined): Verdict => {
      const subject = { ...file, tag: target.tag, alias: target.alias, lastModified };
      const verdict = judge(subject, { format, options }, rules ? [rules] : [], scope, ask.now);
      if (verdict.refused) throw withheld(delivery, verdict.refused, verdict, scope);
      return verdict;
    };
    if (!isTimed || file.published?.by === 'server') return admitted(delivery, judged(undefined), scope);
    const known = await delivery.lastModified?.();
    return admitted(dated(delivery, known, judged), judged(known), scope);
  }

  /** Judged as the releases are that name it by its bytes; what is none itself, only so. */
  async #part(target: ArtifactTarget, { delivery, carriers, scope }: NamedPart, { now }: Ask): Promise<Delivery> {
    const { rules, format, options, firstSeen } = this.#terms;
    const { file, repository } = delivery;
    const { name, version, digest } = file;
    const judged = (as: Partial<Judged>, seen: Scope['seen']): Verdict => {
      const subject = { ...file, tag: target.tag, alias: target.alias, ...as };
      return judge(subject, { format, options }, rules ? [rules] : [], seen ? { ...scope, seen } : scope, now);
    };
    const terms: PartTerms = {
      carriers,
      judged: async (versions) => {
        const seen = scope.seen && name !== undefined ? await firstSeen.with(repository, name, versions) : undefined;
        return versions.map((one) => judged({ version: one }, seen));
      },
    };
    const decided =
      version === undefined
        ? await judgePart(
            { name, digest, worst: judged({ firstSeen: { at: now, baseline: false } }, undefined) },
            terms,
          )
        : await judgeRelease(version, judged({}, scope.seen), terms);
    const { verdict } = decided;
    if (!verdict.refused) return admitted(delivery, verdict, scope);
    throw withheld({ ...delivery, file: { ...file, ...decided.release } }, verdict.refused, verdict, scope);
  }

  call(target: CallTarget, ask: Ask): Promise<Body> {
    return this.inner.call(target, ask);
  }

  async #guarded(target: IndexTarget, member: MemberListing, { now }: Ask): Promise<MemberListing> {
    const { rules, policy, repositories = [], firstSeen } = this.#terms;
    const judged = rules ? { ...member, rules: [...member.rules, rules] } : member;
    if (!policy) return judged;
    const { firstParty = false, repository, documents } = member;
    const scope = { policy, repositories: merged(member.scope, repositories), firstParty };
    const before = firstParty || !isJudged(target) ? undefined : this.#horizon(target.name, scope, now);
    if (before === undefined) return { ...judged, scope };
    const meanings = await member.meanings?.();
    const generation = [...documents.map(({ digest }) => digest), meanings?.id].join(' ');
    const [seen, dates] = await Promise.all([
      target.name === undefined ? undefined : firstSeen.of(repository, target.name, generation),
      this.#terms.format.traits.evidence === 'none' ? undefined : member.dates?.(before),
    ]);
    const evidence = { ...(seen && { seen }), ...(dates && { dates }), ...(meanings && { meanings }) };
    return { ...judged, scope: { ...scope, ...evidence } };
  }

  async #scopeOf(
    { repository, file, firstParty = false }: Delivery,
    { path }: ArtifactTarget,
    { now }: Ask,
  ): Promise<{ readonly scope?: Scope; readonly isTimed: boolean }> {
    const { policy, repositories = [], firstSeen, format } = this.#terms;
    if (!policy) return { isTimed: false };
    const scope = { policy, repositories, firstParty };
    if (firstParty || this.#horizon(file.name, scope, now) === undefined) return { scope, isTimed: false };
    const isTimed = format.traits.evidence !== 'none';
    if (file.name === undefined) return { scope, isTimed };
    const seen = await firstSeen.of(repository, file.name, `${path} ${file.digest ?? ''}`);
    return { scope: { ...scope, seen }, isTimed };
  }

  /** What is older than that no rule about time refuses; undefined: there are no such rules about these files. */
  #horizon(name: string | undefined, { policy, repositories }: Scope, now: number): number | undefined {
    const { format, options } = this.#terms;
    const scoped = {
      format: format.id,
      dated: format.traits.evidence,
      repositories,
      ...(name === undefined ? {} : { package: packageOf(format, options, name) }),
      versions: format.versions,
    };
    return horizon(scoped, policy.policy, now);
  }
}

/** What passes byte for byte is judged as the file that it is; what is only seen is looked into before. */
function isJudged({ opaque, sights }: IndexTarget): boolean {
  return !opaque || sights !== undefined;
}

/** A file that was found in a list which leaves dates to another document. */
async function described({ file, described: asked }: Delivery): Promise<FileFacts> {
  const published = file.published ?? (await asked?.());
  return published === undefined ? file : { ...file, published };
}

/** Bytes that are younger than those that were asked about are judged anew, before the first of them is sent. */
function dated(delivery: Delivery, known: number | undefined, judged: (at: number) => Verdict): Delivery {
  return {
    ...delivery,
    open: async () => {
      const content = await delivery.open();
      const at = dateOf(content.lastModified);
      if (at === undefined || (known !== undefined && at <= known)) return content;
      try {
        return keptUntil(content, endOf(judged(at)));
      } catch (error) {
        content.body.release();
        await content.settle({ aborted: true });
        throw error;
      }
    },
  };
}

function withheld(
  { file, repository }: Delivery,
  { rule, reason }: NonNullable<Verdict['refused']>,
  { until, evidence, observed }: Verdict,
  scope: Scope | undefined,
): Fault {
  return new Fault('withheld', `${reason}.`, {
    details: {
      rule,
      package: file.name,
      version: file.version,
      repository,
      ...(until === undefined ? {} : { until }),
      ...(evidence === undefined ? {} : { evidence }),
      ...(observed === undefined ? {} : { observed }),
      ...(scope === undefined ? {} : { revision: scope.policy.id }),
    },
  });
}

/** What is worth a word on record, although it was let through: an exemption, and what only observes. */
function admitted(delivery: Delivery, verdict: Verdict, scope: Scope | undefined): Delivery {
  const { because, evidence, observed } = verdict;
  const exempted = because?.rule.startsWith('exemption/') ? because : undefined;
  const ruled = exempted !== undefined || observed !== undefined;
  const ruling: Ruling = {
    ...exempted,
    ...(evidence === undefined ? {} : { evidence }),
    ...(observed === undefined ? {} : { observed }),
    ...(scope === undefined ? {} : { revision: scope.policy.id }),
  };
  const open = async () => keptUntil(await delivery.open(), endOf(verdict));
  return { ...delivery, ...(ruled ? { ruling } : {}), open };
}

/** Epoch milliseconds at which something else may be said of it; Infinity: not by itself. */
function endOf({ until, observed = [] }: Verdict): number {
  const ends = [until, ...observed.map((objection) => objection.until)];
  return Math.min(...ends.filter((end) => end !== undefined));
}

/** What was admitted for a while is not kept for longer. */
function keptUntil(content: Content, end: number): Content {
  return { ...content, freshUntil: Math.min(content.freshUntil, end) };
}

function merged(scope: Scope | undefined, repositories: readonly string[]): readonly string[] {
  return [...new Set([...(scope?.repositories ?? []), ...repositories])];
}
