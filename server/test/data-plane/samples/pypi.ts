import {
  filesOf,
  hex,
  manyBytes,
  OCTETS,
  type PackageSample,
  replied,
  type SampleRelease,
  text,
  versionOf,
} from './releases.ts';
import { large, reply, type Sample, sha256, small } from './sample.ts';

const JSON_TYPE = 'application/vnd.pypi.simple.v1+json';
const SDIST = 'widget-1.0.tar.gz';
const WHEEL = 'gadget-1.0-py3-none-any.whl';

export function sample(): Sample {
  const sdist = large();
  const page = {
    meta: { 'api-version': '1.1' },
    name: 'widget',
    versions: ['1.0'],
    files: [
      {
        filename: SDIST,
        url: `https://upstream.test/files/${SDIST}`,
        hashes: { sha256: sha256(sdist) },
        size: sdist.length,
        'upload-time': '2026-01-01T00:00:00Z',
      },
    ],
  };
  const html = `<!DOCTYPE html>
<html><body><a href="https://upstream.test/files/${WHEEL}#sha256=${sha256(small())}">${WHEEL}</a></body></html>
`;
  return {
    upstream: {
      '/simple/widget/': reply(JSON.stringify(page), JSON_TYPE),
      [`/files/${SDIST}`]: reply(sdist, 'application/x-tar'),
      '/simple/gadget/': reply(html, 'text/html'),
      '/pypi/gadget/json': { status: 404 },
    },
    requests: [
      { title: 'page', kind: 'index', path: '/simple/widget/', accept: JSON_TYPE },
      { title: 'page in HTML', kind: 'index', path: '/simple/gadget/' },
      {
        title: 'sdist',
        kind: 'artifact',
        path: `/packages/widget/${SDIST}`,
        upstream: `/files/${SDIST}`,
        digested: true,
      },
    ],
  };
}

const PROJECT = 'acme-widget';

export const releases: PackageSample = {
  purl: `pkg:pypi/${PROJECT}`,
  same: ['pkg:pypi/Acme_Widget', 'pkg:pypi/acme.widget', 'pkg:PYPI/acme%2D%2Dwidget'],
  others: ['pkg:pypi/acmewidget', 'pkg:pypi/acme-widget2', 'pkg:npm/acme-widget'],
  listing: [{ path: `/simple/${PROJECT}/`, accept: JSON_TYPE }],

  release(minor, when = {}) {
    const version = versionOf(minor);
    const name = `acme_widget-${version}-py3-none-any.whl`;
    const at = (suffix: string, bytes: Buffer) => ({
      path: `/packages/${PROJECT}/${name}${suffix}`,
      upstream: `/files/${name}${suffix}`,
      bytes,
      type: OCTETS,
    });
    const provenance = `/integrity/${PROJECT}/${version}/${name}/provenance`;
    return {
      ...when,
      version,
      mark: version,
      file: at('', manyBytes()),
      beside: [
        at('.metadata', text('Metadata-Version: 2.1')),
        at('.asc', text('signature')),
        { path: provenance, upstream: provenance, bytes: text('provenance'), type: 'application/json' },
      ],
      aliases: [],
    };
  },

  publish(minor) {
    const version = versionOf(minor);
    const bytes = manyBytes();
    const name = `acme_widget-${version}.tar.gz`;
    const fields = { ':action': 'file_upload', protocol_version: '1', metadata_version: '2.1', filetype: 'sdist' };
    const body = new FormData();
    for (const [field, value] of Object.entries({ ...fields, pyversion: 'source', name: PROJECT, version }))
      body.append(field, value);
    body.append('content', new Blob([bytes]), name);
    return {
      method: 'POST',
      path: '/legacy/',
      headers: {},
      body,
      version,
      file: { path: `/packages/${PROJECT}/${name}`, bytes },
    };
  },

  upstream: (all) => ({
    [`/simple/${PROJECT}/`]: replied(JSON.stringify(pageOf(all)), JSON_TYPE),
    [`/pypi/${PROJECT}/json`]: replied(JSON.stringify(olderOf(all)), 'application/json'),
    ...Object.fromEntries(
      all.map((one) => [
        `/pypi/${PROJECT}/${one.version}/json`,
        replied(JSON.stringify(olderOf([one])), 'application/json'),
      ]),
    ),
    ...Object.assign({}, ...all.map((one) => filesOf(one))),
  }),

  indexes: ({ version }) => [
    { path: `/simple/${PROJECT}/` },
    { path: `/simple/${PROJECT}/`, accept: JSON_TYPE },
    { path: `/simple/${PROJECT}/`, accept: 'application/vnd.pypi.simple.v1+html' },
    { path: `/simple/${PROJECT}/?format=application/vnd.pypi.simple.v1%2Bjson` },
    { path: '/simple/Acme_Widget/' },
    { path: `/pypi/${PROJECT}/json` },
    { path: `/pypi/${PROJECT}/${version}/json` },
  ],
};

const timeOf = ({ at }: SampleRelease) => (at === undefined ? undefined : new Date(at).toISOString());

function pageOf(all: readonly SampleRelease[]): object {
  return {
    meta: { 'api-version': '1.1' },
    name: PROJECT,
    versions: all.map(({ version }) => version),
    files: all.map((one) => {
      const [metadata, , provenance] = one.beside;
      return {
        filename: one.file.path.slice(`/packages/${PROJECT}/`.length),
        url: `https://upstream.test${one.file.upstream}`,
        hashes: { sha256: sha256(one.file.bytes) },
        size: one.file.bytes.length,
        'upload-time': timeOf(one),
        'core-metadata': metadata && { sha256: sha256(metadata.bytes) },
        'gpg-sig': true,
        provenance: `https://upstream.test${provenance?.upstream}`,
      };
    }),
  };
}

/** The older JSON, whose `info` says nothing that a release would be known by. */
function olderOf(all: readonly SampleRelease[]): object {
  const urls = all.map((one) => ({
    filename: one.file.path.slice(`/packages/${PROJECT}/`.length),
    url: `https://upstream.test${one.file.upstream}`,
    digests: { sha256: sha256(one.file.bytes), md5: hex('md5', one.file.bytes) },
    size: one.file.bytes.length,
    upload_time_iso_8601: timeOf(one),
  }));
  const byVersion = Object.fromEntries(all.map(({ version }, at) => [version, [urls[at]]]));
  return { info: { name: PROJECT }, releases: byVersion, urls: urls.slice(-1) };
}
