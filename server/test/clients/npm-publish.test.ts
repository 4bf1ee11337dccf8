import { installed } from './installed.ts';
import { publishingSuite } from './javascript-publishing.ts';

for (const major of [10, 11] as const)
  publishingSuite({
    title: `npm ${major}`,
    command: (context) => [process.execPath, installed(context, `npm@${major}`)],
    env: ({ home }) => ({ NPM_CONFIG_USERCONFIG: `${home}/.npmrc`, NPM_CONFIG_CACHE: `${home}/.npm` }),
    settings: (registry, token) => ({
      '.npmrc': `registry=${registry}\n${registry.replace(/^http:/, '')}:_authToken=${token}\n`,
    }),
    publish: ['publish'],
    add: (spec) => ['install', '--no-audit', spec],
    edits: {
      tag: (spec, tag) => ['dist-tag', 'add', spec, tag],
      untag: (name, tag) => ['dist-tag', 'rm', name, tag],
      tags: (name) => ['dist-tag', 'ls', name],
      deprecate: (spec, why) => ['deprecate', spec, why],
      unpublish: (spec) => ['unpublish', '--force', spec],
      view: (spec) => ['view', '--json', spec],
    },
  });
