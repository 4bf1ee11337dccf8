import { filesOf, manyBytes, type PackageSample, text, versionOf } from './releases.ts';
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

export const releases: PackageSample = {
  purl: 'pkg:generic/widget',
  same: ['pkg:GENERIC/widget', 'pkg:generic/%77idget'],
  others: ['pkg:generic/Widget', 'pkg:generic/tools/widget'],
  spec: { generic: { releases: ['^tools/(?P<name>[a-z]+)-(?P<version>[0-9]+(?:\\.[0-9]+)*)'] } },
  listing: [],

  release(minor, when = {}) {
    const version = versionOf(minor);
    const at = (suffix: string, bytes: Buffer, type: string) => {
      const path = `/tools/widget-${version}.zip${suffix}`;
      return { path, upstream: path, bytes, type };
    };
    return {
      ...when,
      version,
      mark: version,
      file: at('', manyBytes(), 'application/zip'),
      beside: [at('.sha256', text('sum'), 'text/plain'), at('.asc', text('signature'), 'text/plain')],
      aliases: [],
    };
  },

  publish(minor) {
    const version = versionOf(minor);
    const path = `/tools/widget-${version}.zip`;
    const bytes = manyBytes();
    return { method: 'PUT', path, headers: {}, body: bytes, version, file: { path, bytes } };
  },

  upstream: (all) => Object.assign({}, ...all.map((one) => filesOf(one, one.at))),

  indexes: () => [],
};
