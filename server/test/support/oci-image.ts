import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

export interface Blob {
  readonly digest: string;
  readonly bytes: Buffer;
}

export interface Manifest extends Blob {
  readonly type: string;
}

/** An image as a registry holds it. */
export interface Image {
  /** Configuration and layers. */
  readonly blobs: readonly Blob[];
  /** Children first; the last one is what a tag names. */
  readonly manifests: readonly Manifest[];
}

const OCI = 'application/vnd.oci.image';

/** Manifest, configuration and two layers of one architecture; the first layer is the same for every architecture. */
export function imageOf(name: string, architecture = 'amd64', size = 300_000): Image {
  const files = [
    { [`usr/share/${name}/base`]: Buffer.from(`the base of ${name}\n`.repeat(20_000)) },
    { [`usr/bin/${name}`]: noise(`${name} for ${architecture}`, size) },
  ];
  const archives = files.map(tar);
  const layers = archives.map((archive) => blob(gzipSync(archive)));
  const config = blob(
    Buffer.from(
      JSON.stringify({
        created: '2026-01-01T00:00:00Z',
        architecture,
        os: 'linux',
        config: { Labels: { title: name } },
        rootfs: { type: 'layers', diff_ids: archives.map((archive) => blob(archive).digest) },
        history: layers.map(() => ({ created: '2026-01-01T00:00:00Z', created_by: 'a test' })),
      }),
    ),
  );
  const manifest = manifestOf({
    schemaVersion: 2,
    mediaType: `${OCI}.manifest.v1+json`,
    config: described(config, `${OCI}.config.v1+json`),
    layers: layers.map((layer) => described(layer, `${OCI}.layer.v1.tar+gzip`)),
  });
  return { blobs: [config, ...layers], manifests: [manifest] };
}

/** An image index of two architectures. */
export function multiArchitectureImageOf(name: string): Image {
  const images = ['amd64', 'arm64'].map((architecture) => ({ architecture, image: imageOf(name, architecture) }));
  const children = images.map(({ architecture, image }) => {
    const manifest = image.manifests[0] as Manifest;
    return { ...described(manifest, manifest.type), platform: { architecture, os: 'linux' } };
  });
  const index = manifestOf({ schemaVersion: 2, mediaType: `${OCI}.index.v1+json`, manifests: children });
  return {
    blobs: images.flatMap(({ image }) => image.blobs),
    manifests: [...images.flatMap(({ image }) => image.manifests), index],
  };
}

/** Digests of everything an image consists of, sorted. */
export function digestsOf({ blobs, manifests }: Image): string[] {
  return [...new Set([...blobs, ...manifests].map(({ digest }) => digest))].sort();
}

/** What its tag names. */
export function topOf({ manifests }: Image): Manifest {
  return manifests.at(-1) as Manifest;
}

function blob(bytes: Buffer): Blob {
  return { digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, bytes };
}

function manifestOf(document: { readonly mediaType: string; readonly [field: string]: unknown }): Manifest {
  return { ...blob(Buffer.from(JSON.stringify(document))), type: document.mediaType };
}

function described({ digest, bytes }: Blob, mediaType: string): object {
  return { mediaType, digest, size: bytes.length };
}

/** Bytes that do not compress, the same for the same seed. */
function noise(seed: string, size: number): Buffer {
  return createHash('shake256', { outputLength: size }).update(seed).digest();
}

const BLOCK = 512;

/** POSIX.1-1988 ustar, with the folders that lead to the files. */
export function tar(files: Readonly<Record<string, Buffer>>): Buffer {
  const entries = Object.entries(files).flatMap(([name, bytes]) => {
    const folders = name.split('/').slice(0, -1);
    const above = folders.map((_folder, depth) => header(`${folders.slice(0, depth + 1).join('/')}/`, 0, '5'));
    return [...above, header(name, bytes.length, '0'), bytes, Buffer.alloc(-bytes.length & (BLOCK - 1))];
  });
  return Buffer.concat([...entries, Buffer.alloc(2 * BLOCK)]);
}

function header(name: string, size: number, kind: '0' | '5'): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`;
  const field = (text: string, offset: number) => block.write(text, offset, 'latin1');
  field(name, 0);
  field(octal(0o755, 7), 100);
  field(octal(0, 7), 108);
  field(octal(0, 7), 116);
  field(octal(size, 11), 124);
  field(octal(0, 11), 136);
  field(' '.repeat(8), 148);
  field(kind, 156);
  field('ustar\x0000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  field(`${octal(sum, 6)} `, 148);
  return block;
}
