import { randomUUID } from 'node:crypto';
import type { Reply } from '../../support/fake-upstream-answer.ts';
import { type Blob, imageOf, topOf } from '../../support/oci-image.ts';
import { reply, type Sample } from './sample.ts';

const NAME = '/team/widget';
const TAGS = reply('{"name":"team/widget","tags":["v1"]}', 'application/json');

export function sample(): Sample {
  const image = imageOf(randomUUID());
  const manifest = topOf(image);
  const layer = image.blobs.at(-1) as Blob;
  const byTag = `${NAME}/manifests/v1`;
  const byDigest = `${NAME}/manifests/${manifest.digest}`;
  const blob = `${NAME}/blobs/${layer.digest}`;
  return {
    upstream: {
      [`/v2${NAME}/tags/list?n=1`]: TAGS,
      [`/v2${NAME}/tags/list?n=1000`]: TAGS,
      [`/v2${byTag}`]: bytesOf(manifest, manifest.type),
      [`/v2${byDigest}`]: bytesOf(manifest, manifest.type),
      [`/v2${blob}`]: bytesOf(layer, 'application/octet-stream'),
    },
    requests: [
      { title: 'tags', kind: 'index', path: `${NAME}/tags/list`, upstream: `/v2${NAME}/tags/list?n=1000` },
      { title: 'manifest by tag', kind: 'index', path: byTag, upstream: `/v2${byTag}`, byHead: true },
      {
        title: 'manifest',
        kind: 'artifact',
        path: byDigest,
        upstream: `/v2${byDigest}`,
        digested: true,
        forEver: true,
      },
      { title: 'layer', kind: 'artifact', path: blob, upstream: `/v2${blob}`, digested: true, forEver: true },
    ],
  };
}

const bytesOf = ({ bytes, digest }: Blob, type: string): Reply => ({
  body: bytes,
  headers: { 'content-type': type, 'docker-content-digest': digest },
  etag: digest,
});
