import { large, reply, type Sample } from './sample.ts';

const MODULE = '/example.com/widget/@v';
const INFO = '{"Version":"v1.0.0","Time":"2026-01-01T00:00:00Z"}';

export function sample(): Sample {
  return {
    upstream: {
      [`${MODULE}/list`]: reply('v0.9.0\nv1.0.0\n', 'text/plain; charset=utf-8'),
      [`${MODULE}/v1.0.0.info`]: reply(INFO, 'application/json'),
      [`${MODULE}/v1.0.0.zip`]: reply(large(), 'application/zip'),
    },
    requests: [
      { title: 'list', kind: 'index', path: `${MODULE}/list`, mayBeEmpty: true },
      { title: 'info', kind: 'index', path: `${MODULE}/v1.0.0.info`, forEver: true },
      { title: 'zip', kind: 'artifact', path: `${MODULE}/v1.0.0.zip` },
    ],
  };
}
