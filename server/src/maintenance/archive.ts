/**
 * A backup is a tar, compressed with zstd: `manifest.json`, the parts it lists in any order, blobs, and `complete.json`. What
 * has no `complete.json` was cut off.
 */
export const FORMAT = 1;

export const MANIFEST = 'manifest.json';
export const DATABASE = 'database.sqlite';
export const CONFIGURATION = 'configuration.json';
export const BLOBS = 'blobs.ndjson';
export const COMPLETE = 'complete.json';

/** Which blobs are in it: none, those that no upstream has, all. */
export const BLOB_CHOICES = ['none', 'hosted', 'all'] as const;
export type BlobChoice = (typeof BLOB_CHOICES)[number];

export interface Manifest {
  /** Of this form of backup. */
  readonly format: number;
  /** Version of the program that made it. */
  readonly program: string;
  /** Names of the migrations that made the tables, the newest last. */
  readonly schema: readonly string[];
  /** RFC 3339. */
  readonly made_at: string;
  /** Undefined: made before installations had a name. */
  readonly installation?: string;
  readonly database: { readonly kind: 'sqlite' | 'postgres'; readonly rows: Readonly<Record<string, number>> };
  /** What rows refer to; `only`: those that no upstream has. */
  readonly blobs: {
    readonly count: number;
    readonly bytes: number;
    readonly only: number;
    readonly only_bytes: number;
    readonly included: BlobChoice;
  };
  /** Names of the files with keys that are in it. */
  readonly secrets: readonly string[];
  readonly parts: readonly Part[];
}

export interface Part {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** The last entry. */
export interface Completion {
  /** Of the manifest. */
  readonly manifest_sha256: string;
  readonly blobs: { readonly count: number; readonly bytes: number };
  /** Digests of blobs that should have been in it and were not in the store. */
  readonly missing: readonly string[];
}

/** A line of `blobs.ndjson`. */
export interface BlobLine {
  readonly digest: string;
  readonly size: number;
  /** Whether an upstream has it. */
  readonly fetchable: boolean;
}

/** No backup, or one that is of no use: the message is one line for whoever asked. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
}

const JOURNAL = /^journal\/(pulls-\d{15}-\d+-[0-9a-f]{12}|rejected)\.ndjson$/;
const SECRET = /^secrets\/(admin-token|secret-key)$/;
const BLOB = /^blobs\/sha256\/([0-9a-f]{2})\/([0-9a-f]{2})\/(\1\2[0-9a-f]{60})$/;

/** Nothing else is a part, so no name leads out of a folder. */
export function isPartName(name: string): boolean {
  return [DATABASE, CONFIGURATION, BLOBS].includes(name) || JOURNAL.test(name) || SECRET.test(name);
}

export function blobName(digest: string): string {
  const hex = digest.slice('sha256:'.length);
  return `blobs/sha256/${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex}`;
}

/** Undefined: it is the name of no blob. */
export function digestOf(name: string): string | undefined {
  const hex = BLOB.exec(name)?.[3];
  return hex === undefined ? undefined : `sha256:${hex}`;
}

/** Throws `BackupError` unless it is a manifest of this form. */
export function manifestOf(text: string, file: string): Manifest {
  const found = parsed(text);
  if (typeof found?.['format'] !== 'number')
    throw new BackupError(`${file} is no Entrepot backup: its manifest is none`);
  if (found['format'] > FORMAT) {
    throw new BackupError(
      `${file} was made by a newer Entrepot (${String(found['program'])}): restore it with that version, or a newer one`,
    );
  }
  const manifest = found as unknown as Manifest;
  const valid =
    typeof manifest.program === 'string' &&
    isList(manifest.schema, (name) => typeof name === 'string') &&
    isList(manifest.parts, isPart) &&
    isList(manifest.secrets, (name) => typeof name === 'string') &&
    BLOB_CHOICES.includes(manifest.blobs?.included) &&
    typeof manifest.database?.rows === 'object';
  if (!valid) throw new BackupError(`${file} is no Entrepot backup: its manifest is none`);
  return manifest;
}

/** Throws `BackupError`. */
export function completionOf(text: string, file: string): Completion {
  const found = parsed(text) as unknown as Completion | undefined;
  if (!found || typeof found.blobs?.count !== 'number' || !isList(found.missing, (name) => typeof name === 'string')) {
    throw new BackupError(`${file} is damaged: its last part is not readable`);
  }
  return found;
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === 'object' && found !== null ? (found as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function isPart(part: unknown): boolean {
  const { name, size, sha256 } = (part ?? {}) as Partial<Part>;
  return (
    typeof name === 'string' && isPartName(name) && Number.isSafeInteger(size) && /^[0-9a-f]{64}$/.test(sha256 ?? '')
  );
}

function isList(list: unknown, each: (item: unknown) => boolean): boolean {
  return Array.isArray(list) && list.every(each);
}
