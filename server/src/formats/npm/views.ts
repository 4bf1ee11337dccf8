import type { Body, IndexTarget, Site } from '../../engine/format.ts';
import { isJson, type Json, own } from '../json.ts';
import { attestationsUrlPath, urlPath } from './names.ts';
import { type Manifest, type Packument, timeOf } from './packument.ts';

export const FULL_TYPE = 'application/json';
export const ABBREVIATED_TYPE = 'application/vnd.npm.install-v1+json';

/** What a version keeps in the abbreviated form. */
const ABBREVIATED: ReadonlySet<string> = new Set([
  'name',
  'version',
  'deprecated',
  'dependencies',
  'optionalDependencies',
  'devDependencies',
  'bundleDependencies',
  'bundledDependencies',
  'peerDependencies',
  'peerDependenciesMeta',
  'acceptDependencies',
  'bin',
  'directories',
  'dist',
  'engines',
  'cpu',
  'os',
  'libc',
  'funding',
  'hasInstallScript',
  '_hasShrinkwrap',
]);

/** Views: `full`, `abbreviated`, `tags`, and `version:` with a version or a tag. */
export function encodeView(doc: Packument, target: IndexTarget, { base }: Site): Body | undefined {
  switch (target.view) {
    case 'full':
      return json({ ...doc.json, 'dist-tags': doc.tags, versions: versionsOf(doc, base, (manifest) => manifest) });
    case 'abbreviated':
      return json(abbreviated(doc, base), ABBREVIATED_TYPE);
    case 'tags':
      return json(doc.tags);
    default:
      return oneVersion(doc, target.view.slice('version:'.length), base);
  }
}

function abbreviated(doc: Packument, base: string): Json {
  const modified = own(timeOf(doc), 'modified');
  const versions = versionsOf(doc, base, abbreviatedManifest);
  return { name: doc.name, 'dist-tags': doc.tags, versions, ...(modified !== undefined && { modified }) };
}

/** `hasInstallScript` is the registry's own deduction, made for the abbreviated form alone. */
function abbreviatedManifest(manifest: Json): Json {
  const kept = Object.fromEntries(Object.entries(manifest).filter(([key]) => ABBREVIATED.has(key)));
  const scripts = own(manifest, 'scripts');
  const installs = isJson(scripts) && ['preinstall', 'install', 'postinstall'].some((name) => own(scripts, name));
  return installs ? { ...kept, hasInstallScript: true } : kept;
}

function oneVersion(doc: Packument, wanted: string, base: string): Body | undefined {
  const tagged = own(doc.tags, wanted);
  const manifest = doc.versions.get(wanted) ?? doc.versions.get(String(tagged));
  return manifest && json(rewritten(manifest, doc.name, base));
}

function versionsOf(doc: Packument, base: string, shape: (manifest: Json) => Json): Json {
  return Object.fromEntries(
    [...doc.versions].map(([version, manifest]) => [version, shape(rewritten(manifest, doc.name, base))]),
  );
}

function rewritten({ json: manifest, tarball, attestations }: Manifest, name: string, base: string): Json {
  const { attestations: upstream, ...dist } = own(manifest, 'dist') as Json;
  const ours = { ...dist, tarball: `${base}/${urlPath(tarball.path)}` };
  if (attestations === undefined) return { ...manifest, dist: ours };
  const version = attestations.path.slice(attestations.path.lastIndexOf('@') + 1);
  // npm takes only the path of this address and resolves it against the registry's origin, so it must be ours.
  const url = `${base}/${attestationsUrlPath(name, version)}`;
  return { ...manifest, dist: { ...ours, attestations: { ...(upstream as Json), url } } };
}

const json = (value: unknown, type = FULL_TYPE): Body => ({
  bytes: JSON.stringify(value),
  type,
  headers: { vary: 'Accept' },
});
