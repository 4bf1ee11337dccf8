import { createHash } from 'node:crypto';
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
} from './format.ts';
import { type PackedFiles, packFiles } from './listed-files.ts';
import type { FileFacts } from './source.ts';

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
}

export interface RenderMember {
  readonly documents: readonly JobDocument[];
  readonly rules: readonly Ruleset[];
  readonly options: Readonly<Record<string, unknown>>;
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
  | { readonly kind: 'rendered'; readonly body: Body; readonly bytes: Uint8Array; readonly hash: string }
  | { readonly kind: 'withheld'; readonly refusal: Refusal }
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

/** The index as one kind of client gets it: decoded, judged, filtered, merged, encoded. */
export function render(format: AnyFormat, job: RenderJob): Rendered {
  return orMalformed(() => {
    const judged = job.members.map((member) => judge(format, member, job.target));
    const kept = judged.flatMap((one) => (one.withheld ? [] : [one.doc]));
    const refused = judged.find((one) => one.withheld)?.withheld;
    if (kept.length === 0) return refused ? { kind: 'withheld', refusal: refused } : { kind: 'no_such_view' };
    return encoded(format, kept.length === 1 ? kept[0] : format.index.merge(kept), job);
  });
}

/** An index of which policy leaves nothing is itself withheld, when it is one package's. */
function judge(format: AnyFormat, member: RenderMember, target: IndexTarget): { doc: unknown; withheld?: Refusal } {
  const { doc } = decode(format, member.documents);
  if (member.rules.length === 0 || target.opaque === true) return { doc };
  const kept = keep(format, doc, member.rules);
  if (target.scope !== 'package') return { doc: kept.doc };
  const blocked = kept.withheld ?? (kept.empty ? refusalOfName(target, member.rules) : undefined);
  return blocked ? { doc: kept.doc, withheld: blocked } : { doc: kept.doc };
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

/** A list without entries says that its package exists: not where the package is on a blocklist. */
function refusalOfName({ name }: IndexTarget, rules: readonly Ruleset[]): Refusal | undefined {
  if (name === undefined) return undefined;
  return refusal(
    { path: name, name },
    rules.map((rule) => ({ ...rule, patterns: [] })),
  );
}

interface Kept {
  readonly doc: unknown;
  /** Why nothing is left of it. */
  readonly withheld?: Refusal;
  /** There was nothing in it. */
  readonly empty: boolean;
}

function keep(format: AnyFormat, doc: unknown, rules: readonly Ruleset[]): Kept {
  const releases = new Map<string, Pick<Release, 'name' | 'tag'>>();
  for (const release of format.index.releases(doc)) for (const file of release.files) releases.set(file.path, release);
  let first: Refusal | undefined;
  let admitted = 0;
  const kept = format.index.keep(doc, (path) => {
    const { name, tag } = releases.get(path) ?? {};
    const refused = refusal({ path, name, tag }, rules);
    if (refused) first ??= refused;
    else admitted += 1;
    return refused;
  });
  const empty = releases.size === 0;
  return first && admitted === 0 ? { doc: kept, withheld: first, empty } : { doc: kept, empty };
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
