import type { FakeUpstream } from './fake-upstream.ts';
import { type Blob, type Image, type Manifest, topOf } from './oci-image.ts';
import type { Plane } from './plane.ts';

export const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';

/** Every type of manifest, as clients ask for them, and as upstreams must be asked. */
export const ACCEPT_MANIFESTS = [
  MANIFEST_TYPE,
  INDEX_TYPE,
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
].join(', ');

/** Makes a fake upstream a registry that has these images of one name, by their tags; calling it again is a newer list. */
export function publishImages(upstream: FakeUpstream, name: string, tagged: Readonly<Record<string, Image>>): void {
  for (const [tag, image] of Object.entries(tagged)) {
    for (const blob of image.blobs) keepBytes(upstream, blobPath(blob, name), blob);
    for (const manifest of image.manifests) keepBytes(upstream, `${name}/manifests/${manifest.digest}`, manifest);
    keepBytes(upstream, `${name}/manifests/${tag}`, topOf(image));
  }
  const body = JSON.stringify({ name, tags: Object.keys(tagged) });
  for (const query of ['n=1', 'n=1000']) {
    const headers = { 'content-type': 'application/json' };
    upstream.respond(`/v2/${name}/tags/list?${query}`, { body, headers });
  }
}

/** `path`: below `/v2/`. */
export function keepBytes(
  upstream: FakeUpstream,
  path: string,
  { bytes, digest, type }: Blob & Partial<Manifest>,
): void {
  upstream.respond(`/v2/${path}`, {
    body: bytes,
    headers: { 'content-type': type ?? 'application/octet-stream', 'docker-content-digest': digest },
    etag: digest,
  });
}

export const manifestPath = (image: Image, name: string): string => `${name}/manifests/${topOf(image).digest}`;

export const blobPath = ({ digest }: Blob, name: string): string => `${name}/blobs/${digest}`;

/** Everything that a client of the image fetches by digest. */
export function pathsOf({ blobs, manifests }: Image, name: string): readonly string[] {
  const paths = manifests.map(({ digest }) => `${name}/manifests/${digest}`);
  return [...new Set([...paths, ...blobs.map((blob) => blobPath(blob, name))])];
}

/** A client of the repository `oci`, or of another that it names. */
export class OciClient {
  readonly #plane: Plane;

  constructor(plane: Plane) {
    this.#plane = plane;
  }

  /** `path`: as below `/v2/` in the upstream. */
  pull(
    path: string,
    headers: Readonly<Record<string, string>> = {},
    method = 'GET',
    repository = 'oci',
  ): Promise<Response> {
    return this.#plane.get(`/v2/${repository}/${path}`, { accept: ACCEPT_MANIFESTS, ...headers }, method);
  }

  async get(path: string, repository = 'oci') {
    const response = await this.pull(path, {}, 'GET', repository);
    const bytes = Buffer.from(await response.arrayBuffer());
    const { status, headers } = response;
    return {
      status,
      type: headers.get('content-type'),
      cache: headers.get('x-cache'),
      headers,
      bytes,
      text: `${bytes}`,
    };
  }

  /** The document's own members, with `status` and `link`. */
  async json(path: string, repository = 'oci') {
    const { status, headers, text } = await this.get(path, repository);
    return { status, link: headers.get('link'), ...JSON.parse(text) };
  }
}
