import { filesOf, manyBytes, OCTETS, type PackageSample, replied, versionOf } from './releases.ts';
import { large, reply, type Sample, sha256 } from './sample.ts';

export function sample(): Sample {
  const crate = large();
  const lines = ['0.9.0', '1.0.0'].map((vers) =>
    JSON.stringify({
      name: 'widget',
      vers,
      deps: [],
      features: {},
      cksum: sha256(crate),
      pubtime: '2026-01-02T03:04:05Z',
    }),
  );
  return {
    upstream: {
      '/config.json': reply('{"dl":"https://upstream.test/crates","api":"https://upstream.test"}', 'application/json'),
      '/wi/dg/widget': reply(`${lines.join('\n')}\n`, 'text/plain'),
      '/crates/widget/1.0.0/download': reply(crate, 'application/gzip'),
    },
    requests: [
      { title: 'index', kind: 'index', path: '/wi/dg/widget' },
      {
        title: 'crate',
        kind: 'artifact',
        path: '/crates/widget/widget-1.0.0.crate',
        upstream: '/crates/widget/1.0.0/download',
        digested: true,
      },
    ],
  };
}

const INDEX = '/ac/me/acme-widget';

export const releases: PackageSample = {
  purl: 'pkg:cargo/acme-widget',
  same: ['pkg:cargo/Acme_Widget', 'pkg:CARGO/acme%2Dwidget'],
  others: ['pkg:cargo/acmewidget', 'pkg:cargo/acme-widgets'],
  listing: [{ path: INDEX }],

  release(minor, when = {}) {
    const version = versionOf(minor);
    return {
      ...when,
      version,
      mark: version,
      file: {
        path: `/crates/acme-widget/acme-widget-${version}.crate`,
        upstream: `/crates/acme-widget/${version}/download`,
        bytes: manyBytes(),
        type: OCTETS,
      },
      beside: [],
      aliases: [`/api/v1/crates/acme-widget/${version}/download`],
    };
  },

  upstream: (all) => ({
    '/config.json': replied('{"dl":"https://upstream.test/crates","api":"https://upstream.test"}', 'application/json'),
    [INDEX]: replied(
      all
        .map(({ version, file, at }) => {
          const pubtime = at === undefined ? {} : { pubtime: new Date(at).toISOString() };
          const line = { name: 'acme-widget', vers: version, deps: [], features: {}, cksum: sha256(file.bytes) };
          return `${JSON.stringify({ ...line, ...pubtime })}\n`;
        })
        .join(''),
      'text/plain',
    ),
    ...Object.assign({}, ...all.map((one) => filesOf(one))),
  }),

  indexes: () => [{ path: INDEX }],
};
