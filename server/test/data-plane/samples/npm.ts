import { sri } from '../../support/npm-package.ts';
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
