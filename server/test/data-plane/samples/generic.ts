import { large, reply, type Sample } from './sample.ts';

export function sample(): Sample {
  return {
    upstream: {
      '/tools/widget-1.0.zip': reply(large(), 'application/zip'),
      '/tools/latest/widget.zip': reply(large(), 'application/zip'),
    },
    requests: [
      { title: 'file', kind: 'artifact', path: '/tools/widget-1.0.zip', mayBeEmpty: true },
      { title: 'file that changes', kind: 'artifact', path: '/tools/latest/widget.zip', mayBeEmpty: true },
    ],
  };
}
