import { npmDocument } from '../../support/hosted-client.ts';
import { sri } from '../../support/npm-package.ts';
import {
  filesOf,
  manyBytes,
  OCTETS,
  type PackageSample,
  replied,
  type SampleRelease,
  text,
  versionOf,
} from './releases.ts';
import { large, reply, type Sample, small } from './sample.ts';

const tarball = (version: string) => `/widget/-/widget-${version}.tgz`;

export function sample(): Sample {
  const versions = [
    ['1.0.0', large()],
    ['1.1.0', small()],
  ] as const;
  const packument = {
    name: 'widget',
    'dist-tags': { latest: '1.1.0' },
    versions: Object.fromEntries(
      versions.map(([version, bytes]) => {
        const dist = { tarball: `https://upstream.test${tarball(version)}`, integrity: sri(bytes) };
        return [version, { name: 'widget', version, dist }];
      }),
    ),
    time: Object.fromEntries(versions.map(([version]) => [version, '2026-01-01T00:00:00.000Z'])),
  };
  return {
    upstream: {
      '/widget': reply(JSON.stringify(packument), 'application/json'),
      ...Object.fromEntries(versions.map(([version, bytes]) => [tarball(version), reply(bytes, 'application/gzip')])),
    },
    requests: [
      { title: 'packument', kind: 'index', path: '/widget' },
      { title: 'tarball', kind: 'artifact', path: tarball('1.0.0'), digested: true },
      { title: 'small tarball', kind: 'artifact', path: tarball('1.1.0'), digested: true },
    ],
  };
}

const ABBREVIATED = 'application/vnd.npm.install-v1+json';

export const releases: PackageSample = {
  purl: 'pkg:npm/%40acme/widget',
  same: ['pkg:npm/@acme/widget', 'pkg:NPM/%40Acme/Widget', 'pkg://npm/%40acme/%77idget'],
  others: ['pkg:npm/widget', 'pkg:npm/%40acme/widgets', 'pkg:npm/%40acme%2Dwidget/widget'],
  listing: [{ path: '/@acme/widget' }],

  release(minor, when = {}) {
    const version = versionOf(minor);
    const path = `/@acme/widget/-/widget-${version}.tgz`;
    const attestations = `/-/npm/v1/attestations/@acme/widget@${version}`;
    return {
      ...when,
      version,
      mark: version,
      file: { path, upstream: path, bytes: manyBytes(), type: OCTETS },
      beside: [
        {
          path: attestations,
          upstream: attestations.replace('@acme/', '@acme%2f'),
          bytes: text('attestations'),
          type: 'application/json',
        },
      ],
      aliases: [],
    };
  },

  publish(minor) {
    const version = versionOf(minor);
    const bytes = manyBytes();
    return {
      method: 'PUT',
      path: '/@acme%2fwidget',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(npmDocument({ name: '@acme/widget', version, tarball: bytes })),
      version,
      file: { path: `/@acme/widget/-/widget-${version}.tgz`, bytes },
    };
  },

  upstream: (all) => ({
    '/@acme%2fwidget': replied(JSON.stringify(packumentOf(all)), 'application/json'),
    ...Object.assign({}, ...all.map((one) => filesOf(one))),
  }),

  indexes: ({ version }) => [
    { path: '/@acme/widget' },
    { path: '/@acme%2fwidget', accept: `${ABBREVIATED}; q=1.0, application/json; q=0.8, */*` },
    { path: '/@acme%2Fwidget' },
    { path: `/@acme/widget/${version}` },
    { path: '/@acme/widget/latest' },
    { path: '/-/package/@acme%2fwidget/dist-tags' },
  ],
};

function packumentOf(all: readonly SampleRelease[]): object {
  const versions = all.map(({ version, file, beside: [attestations] }) => {
    const url = `https://upstream.test${attestations?.upstream}`;
    const attested = { attestations: { url, provenance: { predicateType: 'https://slsa.dev/provenance/v1' } } };
    const dist = { tarball: `https://upstream.test${file.path}`, integrity: sri(file.bytes), ...attested };
    return [version, { name: '@acme/widget', version, dist }];
  });
  const times = all.flatMap(({ version, at }) => (at === undefined ? [] : [[version, new Date(at).toISOString()]]));
  return {
    name: '@acme/widget',
    'dist-tags': { latest: all.at(-1)?.version, next: all.at(-1)?.version },
    versions: Object.fromEntries(versions),
    time: Object.fromEntries(times),
  };
}
