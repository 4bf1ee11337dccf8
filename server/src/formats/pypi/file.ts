import type { Algorithm, Digest, Judge, ReleaseFile } from '../../engine/format.ts';
import { canonicalVersion, filePath, provenancePath, versionOf } from './names.ts';

/** One file of a project, as any of the upstream's documents describes it. */
export interface ProjectFile {
  readonly filename: string;
  /** Absolute, without fragment; absent: it was published here. */
  readonly url?: string;
  /** Lower-case hex by lower-case algorithm. */
  readonly hashes: Readonly<Record<string, string>>;
  readonly requiresPython?: string;
  /** PEP 658: whether `<url>.metadata` exists, and its hashes where they are known. */
  readonly metadata?: true | Readonly<Record<string, string>>;
  readonly signed?: boolean;
  /** PEP 592: true, or the reason. */
  readonly yanked?: true | string;
  /** PEP 740: absolute. */
  readonly provenance?: string;
  readonly size?: number;
  /** As the upstream wrote it, ISO 8601. */
  readonly uploadTime?: string;
}

const LENGTHS: Readonly<Record<string, number>> = { sha256: 64, sha512: 128, sha384: 96, sha1: 40, md5: 32 };

/** SHA-256 first: what every page has, and what we keep blobs by. */
export function digestOf(hashes: Readonly<Record<string, string>>): Digest | undefined {
  const algorithm = Object.keys(LENGTHS).find((each) => Object.hasOwn(hashes, each)) as Algorithm | undefined;
  return algorithm && `${algorithm}:${hashes[algorithm]}`;
}

/** Hashes that can be what they say; others, and algorithms nobody can check, are left out. */
export function usableHashes(entries: Iterable<readonly [string, unknown]>): Record<string, string> {
  const usable: Record<string, string> = {};
  for (const [name, value] of entries) {
    const hex = typeof value === 'string' ? value.toLowerCase() : '';
    const algorithm = name.toLowerCase();
    if (Object.hasOwn(LENGTHS, algorithm) && hex.length === LENGTHS[algorithm] && /^[0-9a-f]+$/.test(hex)) {
      usable[algorithm] = hex;
    }
  }
  return usable;
}

/** The file and what stands beside it upstream, each at the path we serve it. */
export function releaseFiles(file: ProjectFile, project: string): readonly ReleaseFile[] {
  const path = filePath(project, file.filename);
  const common = { ...publishedOf(file), ...(file.yanked !== undefined && { yanked: true }) };
  const digest = digestOf(file.hashes);
  const size = file.size === undefined ? {} : { size: file.size };
  const files: ReleaseFile[] = [{ path, ...urlOf(file), ...size, ...(digest && { digest }), ...common }];
  if (file.metadata) {
    const announced = file.metadata === true ? undefined : digestOf(file.metadata);
    files.push({
      path: `${path}.metadata`,
      ...urlOf(file, '.metadata'),
      role: 'metadata',
      ...(announced && { digest: announced }),
      ...common,
    });
  }
  if (file.signed) files.push({ path: `${path}.asc`, ...urlOf(file, '.asc'), role: 'signature', ...common });
  const provenance = provenanceOf(file, project);
  if (provenance) files.push({ path: provenance, url: file.provenance as string, role: 'signature', ...common });
  return files;
}

/** The file without what is withheld of it: nothing, when it is itself. */
export function keptFile(file: ProjectFile, project: string, judge: Judge): readonly ProjectFile[] {
  const path = filePath(project, file.filename);
  if (judge(path)) return [];
  const attested = provenanceOf(file, project);
  const dropped = [
    ...(file.metadata !== undefined && judge(`${path}.metadata`) ? ['metadata'] : []),
    ...(file.signed && judge(`${path}.asc`) ? ['signed'] : []),
    ...(attested !== undefined && judge(attested) ? ['provenance'] : []),
  ];
  if (dropped.length === 0) return [file];
  return [Object.fromEntries(Object.entries(file).filter(([key]) => !dropped.includes(key))) as unknown as ProjectFile];
}

/** Where we serve the file's provenance; undefined when it has none. */
export function provenanceOf(file: ProjectFile, project: string): string | undefined {
  const version = file.provenance === undefined ? undefined : canonicalVersion(versionOf(file.filename, project));
  return version === undefined ? undefined : provenancePath(project, version, file.filename);
}

function publishedOf({ uploadTime }: ProjectFile): Pick<ReleaseFile, 'published'> {
  const at = uploadTime === undefined ? Number.NaN : Date.parse(withZone(uploadTime));
  return Number.isNaN(at) ? {} : { published: { at, by: 'server' } };
}

/** PEP 700 times are UTC; one without a zone would be read as local. */
const withZone = (time: string): string => (/(?:Z|[+-]\d\d:?\d\d)$/i.test(time) ? time : `${time}Z`);

function urlOf({ url }: ProjectFile, suffix = ''): Pick<ReleaseFile, 'url'> {
  if (url === undefined) return {};
  const changed = new URL(url);
  changed.pathname += suffix;
  return { url: suffix === '' ? url : changed.href };
}
