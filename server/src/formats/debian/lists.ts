import {
  type Algorithm,
  type Digest,
  type IndexTarget,
  Malformed,
  type RawDocument,
  type Release,
  type ReleaseFile,
} from '../../engine/format.ts';
import { archiveOf, byHash, folderOf, HASHES, roleOf } from './layout.ts';
import { readStanzas } from './stanzas.ts';
import { unpacked } from './unpack.ts';

/** A Packages or Sources file. */
export interface PackageList {
  readonly kind: 'list';
  readonly releases: readonly Release[];
}

type Fields = ReadonlyMap<string, string>;

const PACKAGES = new Set(['package', 'version', 'filename', 'size', 'sha256', 'sha512', 'sha1', 'md5sum']);
const SOURCES = new Set([
  'package',
  'version',
  'directory',
  'checksums-sha256',
  'checksums-sha512',
  'checksums-sha1',
  'files',
]);

/** Compressed or not: what it is stands in its first bytes, since its address may be its digest alone. */
export function decodeList({ bytes }: RawDocument, { path, view }: IndexTarget): PackageList {
  const releases: Release[] = [];
  const folder = byHash(path)?.folder ?? folderOf(path);
  const [wanted, filesOf] = view === 'sources' ? [SOURCES, sourceFiles] : [PACKAGES, binaryFiles];
  readStanzas(unpacked(bytes), wanted, (fields) => {
    const name = fields.get('package');
    if (name === undefined) throw new Malformed('There is a stanza without a Package');
    const files = filesOf(fields, folder);
    if (files.length > 0) releases.push({ name, version: fields.get('version') ?? '', files });
  });
  return { kind: 'list', releases };
}

function binaryFiles(fields: Fields, folder: string): readonly ReleaseFile[] {
  const path = pathOf(folder, fields.get('filename') ?? '');
  if (path === undefined) return [];
  const digest = digestOf((algorithm) => fields.get(algorithm === 'md5' ? 'md5sum' : algorithm));
  return [file(path, digest, fields.get('size'))];
}

function sourceFiles(fields: Fields, folder: string): readonly ReleaseFile[] {
  const directory = fields.get('directory') ?? '.';
  const listed = new Map<string, Map<Algorithm, string>>();
  const sizes = new Map<string, string>();
  for (const { algorithm } of HASHES) {
    const lines = fields.get(algorithm === 'md5' ? 'files' : `checksums-${algorithm}`)?.split('\n') ?? [];
    for (const line of lines) {
      const [hex = '', size = '', name = ''] = line.split(/\s+/);
      if (name === '') continue;
      listed.set(name, (listed.get(name) ?? new Map()).set(algorithm, hex));
      sizes.set(name, size);
    }
  }
  return [...listed].flatMap(([name, digests]) => {
    const path = pathOf(folder, `${directory}/${name}`);
    return path === undefined
      ? []
      : [
          file(
            path,
            digestOf((algorithm) => digests.get(algorithm)),
            sizes.get(name),
          ),
        ];
  });
}

function file(path: string, digest: Digest | undefined, size: string | undefined): ReleaseFile {
  return {
    path,
    role: roleOf(path),
    ...(digest === undefined ? {} : { digest }),
    ...(size !== undefined && /^\d{1,15}$/.test(size) ? { size: Number(size) } : {}),
  };
}

function digestOf(said: (algorithm: Algorithm) => string | undefined): Digest | undefined {
  for (const { algorithm, digits } of HASHES) {
    const hex = said(algorithm);
    if (hex?.length === digits && /^[0-9a-f]+$/i.test(hex)) return `${algorithm}:${hex.toLowerCase()}`;
  }
  return undefined;
}

/** Undefined for a name that no request can be for. */
function pathOf(folder: string, name: string): string | undefined {
  const below = name.replace(/^(?:\.\/)+/, '').replaceAll('/./', '/');
  if (below === '' || /(?:^|\/)(?:\.{0,2})(?:\/|$)|\\/.test(below)) return undefined;
  return `${archiveOf(folder) ?? flatArchiveOf(folder, below)}${below}`;
}

/**
 * A flat repository's names are below the address that its source line gives, which the index does not know: when they
 * begin with the folder that the index is in, it is the one above that.
 */
function flatArchiveOf(folder: string, below: string): string {
  const folders = folder.split('/').slice(0, -1);
  const shared = folders.findIndex((_, at) => below.startsWith(`${folders.slice(at).join('/')}/`));
  return shared < 0
    ? folder
    : folders
        .slice(0, shared)
        .map((each) => `${each}/`)
        .join('');
}
