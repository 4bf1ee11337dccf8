import { type Answer, binary, FILE_TARGET, file, hex, NAME, type Sample } from '../sample.ts';

const IMAGE = `/bench/${NAME}`;
const CONFIG_TYPE = 'application/vnd.oci.image.config.v1+json';
const LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar+gzip';
const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';

const digestOf = (bytes: Buffer) => `sha256:${hex('sha256', bytes)}`;
const descriptor = (mediaType: string, bytes: Buffer) => ({ mediaType, digest: digestOf(bytes), size: bytes.length });

const layer = file();
const config = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}');
const manifest = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: descriptor(CONFIG_TYPE, config),
    layers: [descriptor(LAYER_TYPE, layer)],
  }),
);

const BY_TAG = `${IMAGE}/manifests/latest`;
const BY_DIGEST = `${IMAGE}/manifests/${digestOf(manifest)}`;
const BLOB = `${IMAGE}/blobs/${digestOf(layer)}`;

export const oci: Sample = {
  format: 'oci',
  root: 'v2',
  rows: [
    { name: 'oci manifest by tag', path: BY_TAG, target: FILE_TARGET },
    { name: 'oci manifest by digest', path: BY_DIGEST, target: FILE_TARGET },
    { name: 'oci blob 30 kB', path: BLOB, target: FILE_TARGET },
  ],
  before: [BY_TAG, BY_DIGEST],
  answers: () => ({ [BY_TAG]: asManifest, [BY_DIGEST]: asManifest, [BLOB]: binary(layer) }),
};

const asManifest: Answer = {
  body: manifest,
  type: MANIFEST_TYPE,
  headers: { 'docker-content-digest': digestOf(manifest) },
};
