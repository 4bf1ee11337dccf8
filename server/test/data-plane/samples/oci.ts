import { randomUUID } from 'node:crypto';
import type { Reply } from '../../support/fake-upstream-answer.ts';
import { type Blob, imageOf, topOf } from '../../support/oci-image.ts';
import { type PackageSample, replied, type SampleFile, type SampleRelease, versionOf } from './releases.ts';
import { reply, type Sample } from './sample.ts';

const NAME = '/team/widget';
const TAGS = reply('{"name":"team/widget","tags":["v1"]}', 'application/json');

export function sample(): Sample {
  const image = imageOf(randomUUID(), 'amd64', 100_000);
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

const WIDGETS = '/acme/widget';

export const releases: PackageSample = {
  purl: 'pkg:oci/acme/widget',
  same: ['pkg:OCI/Acme/Widget', 'pkg:oci/acme%2Fwidget'],
  others: ['pkg:oci/widget', 'pkg:oci/acme/widgets'],
  listing: [{ path: `${WIDGETS}/tags/list` }],

  release(minor, when = {}) {
    const image = imageOf(randomUUID());
    const manifest = topOf(image);
    const at = ({ digest, bytes }: Blob, kind: string, type: string): SampleFile => {
      const path = `${WIDGETS}/${kind}/${digest}`;
      return { path, upstream: `/v2${path}`, bytes, type };
    };
    return {
      ...when,
      version: manifest.digest,
      mark: versionOf(minor),
      file: { ...at(manifest, 'manifests', manifest.type), isRead: true },
      beside: image.blobs.map((each) => at(each, 'blobs', 'application/octet-stream')),
      aliases: [`${WIDGETS}/manifests/${versionOf(minor)}`],
    };
  },

  upstream(all) {
    const body = JSON.stringify({ name: 'acme/widget', tags: [...all.map(({ mark }) => mark), 'latest'] });
    const tags = replied(body, 'application/json');
    const newest = all.at(-1);
    return {
      [`/v2${WIDGETS}/tags/list?n=1`]: tags,
      [`/v2${WIDGETS}/tags/list?n=1000`]: tags,
      ...(newest && { [`/v2${WIDGETS}/manifests/latest`]: sentAs(newest.file) }),
      ...Object.fromEntries(
        all.flatMap(({ mark, file, beside }) => [
          [`/v2${WIDGETS}/manifests/${mark}`, sentAs(file)],
          ...[file, ...beside].map((each): [string, Reply] => [each.upstream, sentAs(each)]),
        ]),
      ),
    };
  },

  // A list of tags says nothing of digests, by which rules know releases.
  indexes: () => [],
};

function sentAs({ path, bytes, type }: SampleRelease['file']): Reply {
  return bytesOf({ bytes, digest: path.slice(path.lastIndexOf('/') + 1) }, type);
}
