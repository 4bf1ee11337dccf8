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
