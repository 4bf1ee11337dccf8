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
