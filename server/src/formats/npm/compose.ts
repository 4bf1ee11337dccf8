import type { HostedFile, HostedIndex, HostedPackage, IndexTarget, ReleaseFile } from '../../engine/format.ts';
import { isJson, type Json, own } from '../json.ts';
import { repairTags } from './dist-tags.ts';
import { digestOf } from './integrity.ts';
import { attestationsPath } from './names.ts';
import type { Manifest, Packument } from './packument.ts';
import { keptOf, revisionOf, tarballsOf } from './publishing.ts';
import { OF_LATEST } from './withheld.ts';

/** The packument of what was published here; of a package that is no longer there, as the public registry has it. */
export function compose(held: HostedIndex, target: IndexTarget): Packument {
  const found = held.scope === 'package' ? held.package : { name: target.path, revision: 0, files: [] };
  const { name } = found;
  const versions = new Map(
    [...tarballsOf(found)].map(([version, file]) => [version, manifestOf(found, version, file)]),
  );
  const kept = keptOf(found);
  const tags = repairTags(kept.tags, versions);
  const latest = versions.get(tags['latest'] ?? '')?.json ?? {};
  const json: Json = {
    _id: name,
    _rev: revisionOf(found),
    name,
    ...Object.fromEntries(
      OF_LATEST.flatMap((key) => (own(latest, key) === undefined ? [] : [[key, own(latest, key)]])),
    ),
    ...(kept.maintainers === undefined ? {} : { maintainers: kept.maintainers }),
    'dist-tags': tags,
    time: timesOf(found, versions),
    ...(kept.readme === undefined ? {} : { readme: kept.readme }),
  };
  return { name, json, tags, versions };
}

function manifestOf({ name, files }: HostedPackage, version: string, file: HostedFile): Manifest {
  const { manifest, provenance } = file.metadata as { readonly manifest: Json; readonly provenance?: string };
  const published = { at: file.publishedAt, by: 'server' } as const;
  const dist = own(manifest, 'dist');
  const alsoDigest = isJson(dist) ? digestOf(dist) : undefined;
  const { path: at, digest, size } = file;
  const tarball: ReleaseFile = { path: at, digest, size, published, ...(alsoDigest && { alsoDigest }) };
  const path = attestationsPath(name, version);
  const attestation = files.find((each) => each.path === path && each.removedAt === undefined);
  if (!attestation || provenance === undefined) return { json: manifest, tarball };
  const attested = { ...(dist as Json), attestations: { provenance: { predicateType: provenance } } };
  const attestations: ReleaseFile = { path, digest: attestation.digest, role: 'signature', published };
  return { json: { ...manifest, dist: attested }, tarball, attestations };
}

function timesOf({ files }: HostedPackage, versions: ReadonlyMap<string, Manifest>): Json {
  const iso = (at: number): string => new Date(at).toISOString();
  const tarballs = files.filter(({ role }) => role === 'package');
  const changes = files.map(({ publishedAt, removedAt }) => removedAt ?? publishedAt);
  if (tarballs.length === 0) return {};
  const modified = iso(Math.max(...changes));
  const times = {
    created: iso(Math.min(...files.map(({ publishedAt }) => publishedAt))),
    modified,
    ...Object.fromEntries(
      tarballs.flatMap(({ version, publishedAt }) =>
        version !== undefined && versions.has(version) ? [[version, iso(publishedAt)]] : [],
      ),
    ),
  };
  if (versions.size > 0) return times;
  return { ...times, unpublished: { time: modified, versions: tarballs.flatMap(({ version }) => version ?? []) } };
}
