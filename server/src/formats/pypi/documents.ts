import type { Json } from '../json.ts';
import type { ProjectFile } from './file.ts';
import { versionOf } from './names.ts';
import { pep440Order } from './version-order.ts';

/** What the format's paths answer: a project's page, the list of projects, the older JSON. */
export type Document = Page | List | Legacy;

export interface Page {
  readonly kind: 'page';
  readonly name: string;
  readonly files: readonly ProjectFile[];
  /** PEP 792: `active`, `archived`, `quarantined`, `deprecated`. */
  readonly status?: { readonly status: string; readonly reason?: string };
}

export interface List {
  readonly kind: 'list';
  readonly names: readonly string[];
}

/** `/pypi/<project>/json` and `/pypi/<project>/<version>/json`. */
export interface Legacy {
  readonly kind: 'legacy';
  readonly name: string;
  readonly json: Json;
  readonly files: readonly ProjectFile[];
}

/**
 * One document of several. The older JSON beside a page only completes the page's own files; of two pages the first
 * wins a version whole: a wheel of one is never beside the sources of another.
 */
export function mergeDocuments(docs: readonly Document[]): Document {
  return docs.reduce((first, next) => {
    if (first.kind === 'list') return next.kind === 'list' ? mergeLists(first, next) : first;
    if (first.kind === 'legacy' || next.kind === 'list') return first;
    return mergePages(first, next);
  });
}

function mergeLists(first: List, next: List): List {
  return { ...first, names: [...new Set([...first.names, ...next.names])] };
}

function mergePages(first: Page, next: Page | Legacy): Page {
  const others = new Map(next.files.map((file) => [file.filename, file]));
  const completed = first.files.map((file) => complete(file, others.get(file.filename)));
  const added = next.kind === 'page' ? filesOfOthers(first, next) : [];
  const status = next.kind === 'page' ? strictest(first, next) : first.status;
  return { ...first, files: [...completed, ...added], ...(status && { status }) };
}

function filesOfOthers({ name, files }: Page, next: Page): readonly ProjectFile[] {
  const versionIn = ({ filename }: ProjectFile) => canonical(versionOf(filename, name));
  const known = new Set(files.map(versionIn));
  return next.files.filter((file) => !known.has(versionIn(file)));
}

/** Only of the same bytes: what another file of that name says would be about something else. */
function complete(file: ProjectFile, other: ProjectFile | undefined): ProjectFile {
  const { sha256 } = file.hashes;
  if (other === undefined || sha256 === undefined || other.hashes.sha256 !== sha256) return file;
  const size = file.size ?? other.size;
  const uploadTime = file.uploadTime ?? other.uploadTime;
  const yanked = file.yanked ?? other.yanked;
  return {
    ...file,
    ...(size !== undefined && { size }),
    ...(uploadTime !== undefined && { uploadTime }),
    ...(yanked !== undefined && { yanked }),
  };
}

const canonical = (version: string): string => pep440Order.canonical(version) ?? version;

const STRICTNESS = ['active', 'deprecated', 'archived', 'quarantined'];

const strictest = (...pages: readonly Page[]): Page['status'] =>
  pages
    .flatMap((page) => page.status ?? [])
    .reduce<Page['status']>(
      (worst, each) => (worst && STRICTNESS.indexOf(worst.status) >= STRICTNESS.indexOf(each.status) ? worst : each),
      undefined,
    );
