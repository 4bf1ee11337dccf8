import { createHash } from 'node:crypto';
import { blockOfPackage } from '../policy/decide.ts';
import { type Refusal, type Ruleset, refusal } from '../policy/rules.ts';
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
} from './format.ts';
import { type Judged, judge, type Verdict } from './judge.ts';
import { type PackedFiles, packFiles } from './listed-files.ts';
import { packageOf } from './purl.ts';
import type { FileFacts, Scope } from './source.ts';

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
    }
  | { readonly kind: 'withheld'; readonly refusal: Refusal; readonly until?: number }
  | { readonly kind: 'no_such_view' }
  | { readonly kind: 'malformed'; readonly message: string };

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
          judge(judgedOf(release, file), { format, options }, rules, scope, now),
        );
        const told = judged.find(({ refused }) => refused) ?? judged[0] ?? {};
        return { version: release.version, ...told, ...(release.yanked ? { yanked: true } : {}) };
      });
    }),
  }));
}

function judgedOf({ name, version, tag }: Release, { path, published }: ReleaseFile): Judged {
  return { path, name, version, tag, ...(published === undefined ? {} : { published }) };
}

/** The index as one kind of client gets it: decoded, judged, filtered, merged, encoded. */
export function render(format: AnyFormat, job: RenderJob): Rendered {
  return orMalformed(() => {
    const judged = job.members.map((member) => partOf(format, member, job));
    const kept = judged.flatMap((one) => (one.withheld ? [] : [one.doc]));
    const untils = judged.flatMap(({ until }) => (until === undefined ? [] : [until]));
    const until = untils.length === 0 ? {} : { until: Math.min(...untils) };
    const refused = judged.find((one) => one.withheld)?.withheld;
    if (kept.length === 0) return refused ? { kind: 'withheld', refusal: refused, ...until } : { kind: 'no_such_view' };
    const rendered = encoded(format, kept.length === 1 ? kept[0] : format.index.merge(kept), job);
    if (rendered.kind === 'rendered') return { ...rendered, ...until };
    const [hidden] = judged.flatMap(({ hides }) => hides?.(job) ?? []);
    return hidden ? { kind: 'withheld', refusal: hidden, ...until } : rendered;
  });
}

/** A member's part of the answer. */
interface MemberPart {
  readonly doc: unknown;
  /** Why nothing of it may be seen. */
  readonly withheld?: Refusal;
  readonly until?: number;
  /** Why the view that is asked for is not there, where it would be without the rules. */
  readonly hides?: (job: RenderJob) => Refusal | undefined;
}

/** An index of which policy leaves nothing is itself withheld, when it is one package's. */
function partOf(format: AnyFormat, member: RenderMember, { target, now }: RenderJob): MemberPart {
  const { doc } = decode(format, member.documents);
  if ((member.rules.length === 0 && !member.scope) || target.opaque === true) return { doc };
  const { withheld, empty, ...kept } = keep(format, doc, member, now);
  if (target.scope !== 'package') return kept;
  const blocked = withheld ?? (empty ? refusalOfName(format, target, member) : undefined);
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

/** A list without entries says that its package exists: not where the package is blocked as a whole. */
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

interface Kept extends MemberPart {
  /** There was nothing in it. */
  readonly empty: boolean;
}

function keep(format: AnyFormat, doc: unknown, { rules, scope, options }: RenderMember, now: number): Kept {
  const files = new Map<string, Judged>();
  for (const release of format.index.releases(doc))
    for (const file of release.files) files.set(file.path, judgedOf(release, file));
  let first: Refusal | undefined;
  const refusals: { readonly version: string | undefined; readonly refused: Refusal }[] = [];
  let admitted = 0;
  let until = Number.POSITIVE_INFINITY;
  const kept = format.index.keep(doc, (path) => {
    const verdict = judge(files.get(path) ?? { path }, { format, options }, rules, scope, now);
    until = Math.min(until, verdict.until ?? Number.POSITIVE_INFINITY);
    if (!verdict.refused) admitted += 1;
    else {
      first ??= verdict.refused;
      refusals.push({ version: files.get(path)?.version, refused: verdict.refused });
    }
    return verdict.refused && { ...verdict.refused, ...(verdict.until === undefined ? {} : { until: verdict.until }) };
  });
  const withheld = first && admitted === 0 ? { withheld: first } : {};
  const hides = (job: RenderJob): Refusal | undefined =>
    first && encoded(format, doc, job).kind === 'rendered'
      ? (refusals.find(({ version }) => version !== undefined && job.target.view.endsWith(version))?.refused ?? first)
      : undefined;
  return {
    doc: kept,
    hides,
    empty: files.size === 0,
    ...withheld,
    ...(until === Number.POSITIVE_INFINITY ? {} : { until }),
  };
}

function factsOf(release: Release): FileFacts[] {
  return release.files.map((file) => ({
    path: file.path,
    role: file.role ?? 'package',
    name: release.name,
    version: release.version,
    ...(file.url === undefined ? {} : { url: file.url }),
    ...(file.digest === undefined ? {} : { digest: file.digest }),
    ...(file.size === undefined ? {} : { size: file.size }),
    ...(file.published === undefined ? {} : { published: file.published }),
    ...((file.yanked ?? release.yanked) ? { yanked: true } : {}),
    ...(file.refused === undefined ? {} : { refused: file.refused }),
  }));
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
