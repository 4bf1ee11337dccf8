import { filesOf, manyBytes, type PackageSample, replied, type SampleRelease, text, versionOf } from './releases.ts';
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

const ESCAPED = '/example.com/!acme/!widget';

export const releases: PackageSample = {
  purl: 'pkg:golang/example.com/acme/widget',
  same: ['pkg:golang/example.com/Acme/Widget', 'pkg:golang/example.com%2FACME%2Fwidget'],
  others: ['pkg:golang/example.com/acme/widget/v2', 'pkg:golang/acme/widget'],
  listing: [{ path: `${ESCAPED}/@v/list` }],
  believesAuthors: true,

  release(minor, when = {}) {
    const version = `v${versionOf(minor)}`;
    const at = `${ESCAPED}/@v/${version}`;
    return {
      ...when,
      version,
      mark: version,
      file: { path: `${at}.zip`, upstream: `${at}.zip`, bytes: manyBytes(), type: 'application/zip' },
      beside: [
        {
          path: `${at}.mod`,
          upstream: `${at}.mod`,
          bytes: text('module example.com/Acme/Widget //'),
          type: 'text/plain',
        },
      ],
      aliases: [],
    };
  },

  upstream(all) {
    const newest = all.at(-1);
    return {
      [`${ESCAPED}/@v/list`]: replied(all.map(({ version }) => `${version}\n`).join(''), 'text/plain'),
      ...(newest && { [`${ESCAPED}/@latest`]: infoOf(newest), [`${ESCAPED}/@v/main.info`]: infoOf(newest) }),
      ...Object.fromEntries(all.map((one) => [`${ESCAPED}/@v/${one.version}.info`, infoOf(one)])),
      ...Object.assign({}, ...all.map((one) => filesOf(one, one.at))),
    };
  },

  indexes: ({ version }) => [
    { path: `${ESCAPED}/@v/list` },
    { path: `${ESCAPED}/@latest` },
    { path: `${ESCAPED}/@v/${version}.info` },
    { path: `${ESCAPED}/@v/main.info` },
  ],
};

function infoOf({ version, at, authored }: SampleRelease) {
  const time = authored === undefined ? {} : { Time: new Date(authored).toISOString() };
  return replied(JSON.stringify({ Version: version, ...time }), 'application/json', at);
}
