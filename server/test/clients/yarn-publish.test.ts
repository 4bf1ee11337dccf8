import { installed } from './installed.ts';
import { publishingSuite } from './javascript-publishing.ts';

publishingSuite({
  title: 'yarn 4',
  command: (context) => [process.execPath, installed(context, 'yarn@4')],
  env: ({ home }) => ({ YARN_GLOBAL_FOLDER: `${home}/yarn`, YARN_ENABLE_TELEMETRY: '0' }),
  settings: (registry, token) => ({
    '.yarnrc.yml': [
      `npmRegistryServer: ${JSON.stringify(registry)}`,
      `npmAuthToken: ${JSON.stringify(token)}`,
      'npmAlwaysAuth: true',
      'unsafeHttpWhitelist: ["127.0.0.1"]',
      'nodeLinker: node-modules',
      'enableGlobalCache: false',
      'enableImmutableInstalls: false',
      // It takes nothing that was published within a day.
      'npmMinimalAgeGate: 0',
      '',
    ].join('\n'),
    'yarn.lock': '',
  }),
  prepare: ['install'],
  publish: ['npm', 'publish'],
  add: (spec) => ['add', spec],
  conflict: /with other bytes|409|Conflict/,
});

publishingSuite({
  title: 'yarn 1',
  command: (context) => [process.execPath, installed(context, 'yarn@1')],
  env: ({ home }) => ({ YARN_CACHE_FOLDER: `${home}/yarn`, NPM_CONFIG_USERCONFIG: `${home}/.npmrc` }),
  settings: (registry, token) => ({
    '.npmrc': `registry=${registry}\nalways-auth=true\n${registry.replace(/^http:/, '')}:_authToken=${token}\n`,
    '.yarnrc': `registry ${JSON.stringify(registry)}\n`,
  }),
  publish: ['publish', '--non-interactive', '--no-git-tag-version'],
  add: (spec) => ['add', '--non-interactive', spec],
});
