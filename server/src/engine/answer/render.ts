import { createHash } from 'node:crypto';
import { blockOfPackage } from '../../policy/decide.ts';
import type { Age } from '../../policy/evidence.ts';
import { type Refusal, type Ruleset, refusal } from '../../policy/rules.ts';
import { allWithheld } from '../../policy/sentences.ts';
import {
  type AnyFormat,
  type ArtifactTarget,
  type Body,
  type HostedIndex,
  type IndexTarget,
  Malformed,
  type Part,
  type RawDocument,
  type Release,
  type ReleaseFile,
} from '../format.ts';
import type { Verdict } from '../guard/judge.ts';
import { type PackedFiles, packFiles } from '../listed-files.ts';
import { packageOf } from '../purl.ts';
import { judgeListed, type Listed } from '../remote/moving-names.ts';
import type { FileFacts, Scope } from '../source.ts';
import type { Foreign } from '../virtual/claims.ts';
import { conflictsOf, type Findings, type ForeignName, ownPart } from '../watch/findings.ts';

/** Everything that touches a decoded document, as plain data in and out, so that it can run in a worker. */

export interface StudyJob {
  readonly format: string;
  readonly documents: readonly JobDocument[];
  readonly options: Readonly<Record<string, unknown>>;
}

export interface JobDocument extends RawDocument {
  readonly target: IndexTarget;
  /** What was published here (`HostedIndex` as JSON), not an upstream's document. */
  readonly isHosted?: boolean;
}

export type Studied =
  | {
      readonly kind: 'studied';
      readonly files: PackedFiles;
      readonly more: readonly IndexTarget[];
      readonly parts: readonly Part[];
      readonly releases: readonly StudiedRelease[];
    }
  | { readonly kind: 'malformed'; readonly message: string };

export interface StudiedRelease {
  readonly name: string;
  readonly version: string;
  readonly publishedAt?: number;
  readonly publishedBy?: 'server' | 'author';
  readonly yanked?: boolean;
  /** The moving name that means it. */
  readonly tag?: string;
}

export interface RenderJob {
  readonly format: string;
  readonly target: IndexTarget;
  readonly members: readonly RenderMember[];
  readonly base: string;
  /** Epoch milliseconds. */
  readonly now: number;
}

export interface RenderMember {
  readonly documents: readonly JobDocument[];
  readonly rules: readonly Ruleset[];
  readonly options: Readonly<Record<string, unknown>>;
  /** Of a list of packages: which of them are not the member's own. */
  readonly foreign?: readonly Foreign[];
  readonly scope?: Scope;
}

/** What a moving name means, by the documents that say so. */
export interface ChooseJob {
  readonly format: string;
  readonly documents: readonly JobDocument[];
  readonly select: string;
}

export type Chosen =
  | { readonly kind: 'chosen'; readonly target: ArtifactTarget | IndexTarget | undefined }
  | { readonly kind: 'malformed'; readonly message: string };

export type Rendered =
  | {
      readonly kind: 'rendered';
      readonly body: Body;
      readonly bytes: Uint8Array;
      readonly hash: string;
      /** Epoch milliseconds at which a decision in it may change; absent: none does by itself. */
      readonly until?: number;
      readonly findings?: Findings;
    }
  | { readonly kind: 'withheld'; readonly refused: Refused; readonly until?: number }
  | { readonly kind: 'no_such_view' }
  | { readonly kind: 'malformed'; readonly message: string };

/** Why there is no answer. */
export interface Refused extends Refusal {
  /** The release that it is about: the first to be admitted, where all are withheld. */
  readonly version?: string | undefined;
  readonly evidence?: Age | undefined;
  /** Epoch milliseconds at which this release may be admitted. */
  readonly until?: number | undefined;
}

/** What an index says about its files, and which documents it needs beside it. */
export function study(format: AnyFormat, job: StudyJob): Studied {
  return orMalformed(() => {
    const { doc, more } = decode(format, job.documents);
    const releases = [...format.index.releases(doc)];
    return {
      kind: 'studied',
      files: packFiles(releases.flatMap(factsOf)),
      more,
      parts: format.index.parts?.(doc) ?? [],
      releases: releases.map(studiedRelease),
    };
  });
}

/** Without a judge: what it means is guarded like everything else that is asked for. */
export function choose(format: AnyFormat, { documents, select }: ChooseJob): Chosen {
  return orMalformed(() => ({
    kind: 'chosen',
    target: format.index.choose?.(decode(format, documents).doc, select, () => undefined),
  }));
}

/** What the rules say of every release that an index lists, by its first file that is refused. */
export interface ReleaseVerdict extends Verdict {
  readonly version: string;
  readonly yanked?: boolean;
  readonly unresolved?: true;
}

export type Verdicts =
  | { readonly kind: 'verdicts'; readonly verdicts: readonly ReleaseVerdict[] }
  | { readonly kind: 'malformed'; readonly message: string };

export function verdicts(format: AnyFormat, { members, now }: RenderJob): Verdicts {
  return orMalformed(() => ({
    kind: 'verdicts',
    verdicts: members.flatMap(({ documents, rules, scope, options }) => {
      const releases = [...format.index.releases(decode(format, documents).doc)];
      return releases.map((release): ReleaseVerdict => {
        const judged = release.files.map((file) =>
          judgeListed(judgedOf(release, file), { format, options }, rules, scope, now),
        );
        const told = judged.filter(({ refused }) => refused).toSorted(latestFirst)[0] ?? judged[0] ?? {};
        const { version, yanked, unresolved } = release;
        return { version, ...told, ...(yanked ? { yanked } : {}), ...(unresolved && { unresolved }) };
      });
    }),
  }));
}

/** A release is whole when its last file is: what is never admitted comes first. */
function latestFirst(
  { until: one = Number.POSITIVE_INFINITY }: Verdict,
  { until: other = Number.POSITIVE_INFINITY }: Verdict,
): number {
  return one === other ? 0 : other - one;
}

function judgedOf({ name, version, tag, unresolved }: Release, { path, published }: ReleaseFile): Listed {
  return { path, name, version, tag, unresolved, ...(published === undefined ? {} : { published }) };
}

/** The index as one kind of client gets it: decoded, judged, filtered, merged, encoded. */
export function render(format: AnyFormat, job: RenderJob): Rendered {
  return orMalformed(() => {
    const foreign: ForeignName[] = [];
    const judged = job.members.map((member, at) => partOf(format, member, { job, at, foreign }));
    const parts = judged.flatMap((one, at) => (one.withheld ? [] : [{ at, doc: one.doc }]));
    const kept = parts.map(({ doc }) => doc);
    const untils = judged.flatMap(({ until }) => (until === undefined ? [] : [until]));
    const until = untils.length === 0 ? {} : { until: Math.min(...untils) };
    const refused = judged.find((one) => one.withheld)?.withheld;
    if (kept.length === 0) return refused ? { kind: 'withheld', refused, ...until } : { kind: 'no_such_view' };
    const rendered = encoded(format, kept.length === 1 ? kept[0] : format.index.merge(kept), job);
    const conflicts = conflictsOf(format, parts);
    const findings = conflicts.length + foreign.length === 0 ? {} : { findings: { conflicts, foreign } };
    if (rendered.kind === 'rendered') return { ...rendered, ...until, ...findings };
    const [hidden] = judged.flatMap(({ hides }) => hides?.(job) ?? []);
    return hidden ? { kind: 'withheld', refused: hidden, ...until } : rendered;
  });
}

/** A member's part of the answer. */
interface MemberPart {
  readonly doc: unknown;
  /** Why nothing of it may be seen. */
  readonly withheld?: Refused;
  readonly until?: number;
  /** Why the view that is asked for is not there, where it would be without the rules. */
  readonly hides?: (job: RenderJob) => Refused | undefined;
}

/** An index of which policy leaves nothing is itself withheld, when it is one package's. */
function partOf(
  format: AnyFormat,
  member: RenderMember,
  { job, at, foreign }: { readonly job: RenderJob; readonly at: number; readonly foreign: ForeignName[] },
): MemberPart {
  const { target, now } = job;
  const decoded = decode(format, member.documents).doc;
  const doc = ownPart(format, decoded, target, { at, foreign: member.foreign }, foreign);
  if ((member.rules.length === 0 && !member.scope) || target.opaque === true) return { doc };
  const { withheld, empty, ...kept } = keep(format, doc, member, { target, now });
  if (target.scope !== 'package') return kept;
  const blocked = (withheld || empty ? refusalOfName(format, target, member) : undefined) ?? withheld;
  return blocked ? { ...kept, withheld: blocked } : kept;
}

function encoded(format: AnyFormat, doc: unknown, job: RenderJob): Rendered {
  const site = { base: job.base, options: job.members[0]?.options ?? {}, rendered: () => undefined };
  const body = format.index.encode(doc, job.target, site);
  if (!body) return { kind: 'no_such_view' };
  const bytes = typeof body.bytes === 'string' ? Buffer.from(body.bytes) : body.bytes;
  const hash = createHash('sha256').update(bytes).digest('hex');
  return { kind: 'rendered', body: { ...body, bytes: '' }, bytes, hash };
}

function decode(format: AnyFormat, documents: readonly JobDocument[]): { doc: unknown; more: readonly IndexTarget[] } {
  const docs = documents.map((document) =>
    document.isHosted ? composed(format, document) : decoded(format, document),
  );
  const known = new Set(documents.map(({ target }) => target.path));
  const more = documents
    .flatMap(({ target }, position) => format.index.more?.(docs[position], target) ?? [])
    .filter((target) => !known.has(target.path));
  return { doc: docs.length === 1 ? docs[0] : format.index.merge(docs), more };
}

const decoded = (format: AnyFormat, document: JobDocument): unknown => format.index.decode(document, document.target);

function composed(format: AnyFormat, { bytes, target }: JobDocument): unknown {
  const held: HostedIndex = JSON.parse(new TextDecoder().decode(bytes));
  return format.hosting?.compose?.(held, target);
}

/** Why a package is refused as a whole. A list without entries says that its package exists: not where it is. */
function refusalOfName(
  format: AnyFormat,
  { name }: IndexTarget,
  { rules, scope, options }: RenderMember,
): Refusal | undefined {
  if (name === undefined) return undefined;
  const byPattern = refusal(
    { path: name, name },
    rules.map((rule) => ({ ...rule, patterns: [] })),
  );
  return byPattern ?? (scope && blockOfPackage(packageOf(format, options, name), scope.policy.policy));
}

/** What a list of packages names is no release: time has no say in it. */
function verdictOfEntry(format: AnyFormat, name: string, { rules, scope, options }: RenderMember): Verdict {
  const byPattern = refusal({ path: name, name }, rules);
  const refused = byPattern ?? (scope && blockOfPackage(packageOf(format, options, name), scope.policy.policy));
  return refused ? { refused: { rule: refused.rule, reason: refused.reason } } : {};
}

const WITHHELD: Refusal = { rule: '', reason: '' };

interface Kept extends MemberPart {
  /** There was nothing in it. */
  readonly empty: boolean;
}

function keep(
  format: AnyFormat,
  doc: unknown,
  member: RenderMember,
  { target, now }: Pick<RenderJob, 'target' | 'now'>,
): Kept {
  const { rules, scope, options } = member;
  const files = new Map<string, Listed>();
  for (const release of format.index.releases(doc))
    for (const file of release.files) files.set(file.path, judgedOf(release, file));
  const refusals: Refused[] = [];
  const refused: string[] = [];
  let admitted = 0;
  let until = Number.POSITIVE_INFINITY;
  const kept = format.index.keep(doc, (path) => {
    const file = files.get(path);
    const verdict = file
      ? judgeListed(file, { format, options }, rules, scope, now)
      : verdictOfEntry(format, path, member);
    until = Math.min(until, verdict.until ?? Number.POSITIVE_INFINITY);
    if (!verdict.refused) {
      admitted += 1;
      return undefined;
    }
    const { evidence, until: end } = verdict;
    refused.push(path);
    refusals.push({ ...verdict.refused, version: files.get(path)?.version, evidence, until: end });
    return { ...verdict.refused, ...(end === undefined ? {} : { until: end }) };
  });
  const [first] = refusals;
  const hides = (job: RenderJob): Refused | undefined => {
    const isThere = (withheld: ReadonlySet<string>) =>
      encoded(
        format,
        format.index.keep(doc, (path) => (withheld.has(path) ? WITHHELD : undefined)),
        job,
      ).kind === 'rendered';
    return refused.length > 0 && isThere(new Set()) ? refusals[neededOf(refused, isThere)] : undefined;
  };
  return {
    doc: kept,
    hides,
    empty: files.size === 0,
    ...(admitted === 0 && first ? { withheld: ofAll(refusals, first, target.name ?? target.path) } : {}),
    ...(until === Number.POSITIVE_INFINITY ? {} : { until }),
  };
}

/** Which of the files that are refused a view is missing for: the first with which, and with those before it, it is there. */
function neededOf(refused: readonly string[], isThere: (withheld: ReadonlySet<string>) => boolean): number {
  let low = 0;
  let high = refused.length - 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (isThere(new Set(refused.slice(middle + 1)))) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** What is said of a package of which nothing may be seen. */
function ofAll(refusals: readonly Refused[], first: Refused, name: string): Refused {
  const soonest = refusals.reduce((best, one) => (endOf(one) < endOf(best) ? one : best), first);
  const versions = new Set(refusals.map(({ version }) => version));
  if (versions.size === 1) return soonest;
  if (refusals.every(({ reason }) => reason === first.reason)) return { ...soonest, version: undefined };
  const reason = allWithheld(name, versions.size, soonest.reason, soonest.until !== undefined);
  return { ...soonest, reason };
}

function endOf({ until = Number.POSITIVE_INFINITY }: Refused): number {
  return until;
}

function factsOf(release: Release): FileFacts[] {
  const { name, version, details } = release;
  return release.files.map((file) => ({
    path: file.path,
    role: file.role ?? 'package',
    name,
    version,
    ...saidOf(file),
    ...((file.yanked ?? release.yanked) ? { yanked: true } : {}),
    ...(details === undefined ? {} : { details: details.path }),
  }));
}

function saidOf({ url, digest, size, published, refused }: ReleaseFile): Partial<FileFacts> {
  return {
    ...(url === undefined ? {} : { url }),
    ...(digest === undefined ? {} : { digest }),
    ...(size === undefined ? {} : { size }),
    ...(published === undefined ? {} : { published }),
    ...(refused === undefined ? {} : { refused }),
  };
}

/** A release became public with its first file. */
function studiedRelease(release: Release): StudiedRelease {
  const first = release.files
    .flatMap((file) => (file.published ? [file.published] : []))
    .reduce<Release['files'][number]['published']>(
      (best, at) => (best === undefined || at.at < best.at ? at : best),
      undefined,
    );
  return {
    name: release.name,
    version: release.version,
    ...(first === undefined ? {} : { publishedAt: first.at, publishedBy: first.by }),
    ...(release.tag === undefined ? {} : { tag: release.tag }),
    ...(release.yanked ? { yanked: true } : {}),
  };
}

function orMalformed<Result>(work: () => Result): Result | { readonly kind: 'malformed'; readonly message: string } {
  try {
    return work();
  } catch (error) {
    if (error instanceof Malformed || error instanceof SyntaxError)
      return { kind: 'malformed', message: error.message };
    throw error;
  }
}
