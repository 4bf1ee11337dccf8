/** Manifests that clients of today ask for. */
export const MANIFEST_TYPES = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
} as const;

type ManifestType = (typeof MANIFEST_TYPES)[keyof typeof MANIFEST_TYPES];

/** Always all of them, never the client's: docker-registry 2.8 says 404 for a type that it was not asked for. */
export const ACCEPT_MANIFEST = Object.values(MANIFEST_TYPES).join(', ');

export const isManifestType = (type: string | undefined): type is ManifestType =>
  Object.values<string | undefined>(MANIFEST_TYPES).includes(type);

export const isIndexType = (type: ManifestType): boolean =>
  type === MANIFEST_TYPES.index || type === MANIFEST_TYPES.dockerList;

export const isSchema1 = (type: string): boolean =>
  /^application\/vnd\.docker\.distribution\.manifest\.v1\+(?:json|prettyjws)$/.test(type);

/** Without its parameters. */
export const bareType = (type: string): string => type.split(';', 1).join('').trim().toLowerCase();
