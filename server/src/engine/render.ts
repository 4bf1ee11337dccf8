import { createHash } from 'node:crypto';
import { type Refusal, type Ruleset, refusal } from '../policy/rules.ts';
import { type AnyFormat, type Body, type IndexTarget, Malformed, type RawDocument, type Release } from './format.ts';
import type { FileFacts } from './source.ts';

/** Everything that touches a decoded document, as plain data in and out, so that it can run in a worker. */

export interface StudyJob {
  readonly format: string;
  readonly documents: readonly JobDocument[];
  readonly options: Readonly<Record<string, unknown>>;
}

export interface JobDocument extends RawDocument {
  readonly target: IndexTarget;
}

export type Studied =
  | {
      readonly kind: 'studied';
      readonly files: readonly FileFacts[];
      readonly more: readonly IndexTarget[];
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
    return { kind: 'studied', files: releases.flatMap(factsOf), more, releases: releases.map(studiedRelease) };
  });
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
  return target.scope === 'package' ? kept : { doc: kept.doc };
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
  const docs = documents.map((document) => format.index.decode(document, document.target));
  const known = new Set(documents.map(({ target }) => target.path));
  const more = documents
    .flatMap(({ target }, position) => format.index.more?.(docs[position], target) ?? [])
    .filter((target) => !known.has(target.path));
  return { doc: docs.length === 1 ? docs[0] : format.index.merge(docs), more };
}

/** One that was empty before is not withheld. */
function keep(format: AnyFormat, doc: unknown, rules: readonly Ruleset[]): { doc: unknown; withheld?: Refusal } {
  const names = new Map<string, string>();
  for (const release of format.index.releases(doc))
    for (const file of release.files) names.set(file.path, release.name);
  let first: Refusal | undefined;
  let admitted = 0;
  const kept = format.index.keep(doc, (path) => {
    const refused = refusal({ path, name: names.get(path) }, rules);
    if (refused) first ??= refused;
    else admitted += 1;
    return refused;
  });
  return first && admitted === 0 ? { doc: kept, withheld: first } : { doc: kept };
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
