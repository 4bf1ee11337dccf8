import { PackageURL } from '@socketregistry/packageurl-js';
import type { AnyFormat } from '../../engine/format.ts';
import { packageUrl } from '../../engine/purl.ts';
import { dateOf } from '../../engine/remote/dates.ts';
import type { FileFact, KnownRelease, Ledger } from '../../ledger/ledger.ts';
import type { Evidence } from '../../policy/evidence.ts';

/** A file that was pulled. */
export interface Pulled {
  readonly format: AnyFormat;
  readonly member: string;
  readonly path: string;
  /** Package URL without a version. */
  readonly package?: string;
  readonly version?: string;
}

export interface Facts {
  readonly evidence: Evidence;
  /** Of the package, as the format has it. */
  readonly name?: string;
}

/** What the ledger knows of when files became public: of those of one repository, in a few statements. */
export async function factsOf(
  ledger: Pick<Ledger, 'fileFacts' | 'releaseFacts'>,
  member: string,
  files: readonly Pulled[],
): Promise<readonly Facts[]> {
  const known = await ledger.fileFacts(member, [...new Set(files.map(({ path }) => path))]);
  const byPath = new Map(known.map((fact) => [fact.path, fact]));
  const names = files.map((file) => byPath.get(file.path)?.name ?? nameOf(file));
  const asked = new Map<string, readonly [string, string]>();
  for (const [at, { version }] of files.entries()) {
    const name = names[at];
    if (name !== undefined && version !== undefined) asked.set(`${name}\0${version}`, [name, version]);
  }
  const releases = await ledger.releaseFacts(member, [...asked.values()]);
  const byRelease = new Map(releases.map((release) => [`${release.name}\0${release.version}`, release]));
  return files.map(({ path, version }, at) => {
    const name = names[at];
    const evidence = evidenceOf(byPath.get(path), byRelease.get(`${name}\0${version}`));
    return name === undefined ? { evidence } : { evidence, name };
  });
}

export function evidenceOf(file: FileFact | undefined, release: KnownRelease | undefined): Evidence {
  const dated = file?.publishedAt === undefined ? release : file;
  const modified = file?.lastModified === undefined ? file?.modifiedAt : dateOf(file.lastModified);
  return {
    ...(dated?.publishedAt === undefined
      ? {}
      : { index: { at: dated.publishedAt, by: dated.publishedBy ?? 'server' } }),
    ...(modified === undefined ? {} : { lastModified: modified }),
    ...(release ? { firstSeen: { at: release.firstSeenAt, baseline: release.baseline } } : {}),
  };
}

/** How the format calls the package that the URL names, where nothing that is here says it. */
function nameOf({ format, package: purl }: Pulled): string | undefined {
  if (purl === undefined) return undefined;
  const { namespace, name = '' } = PackageURL.fromString(purl);
  const candidates = namespace ? [`${namespace}/${name}`, name] : [name];
  return candidates.find((candidate) => {
    try {
      return packageUrl(format, {}, candidate) === purl;
    } catch {
      return false;
    }
  });
}
