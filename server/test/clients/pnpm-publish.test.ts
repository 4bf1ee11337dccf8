import { dirname } from 'node:path';
import { installed } from './installed.ts';
import { publishingSuite } from './javascript-publishing.ts';

publishingSuite({
  title: 'pnpm 10',
  command: (context) => [process.execPath, installed(context, 'pnpm@10')],
  env: ({ home }) => ({ PNPM_HOME: `${home}/pnpm`, NPM_CONFIG_CACHE: `${home}/.npm` }),
  settings: (registry, token) => ({
    '.npmrc': `registry=${registry}\n${registry.replace(/^http:/, '')}:_authToken=${token}\n`,
  }),
  // It packs, and has the npm on PATH send what it packed.
  beside: (context) => dirname(installed(context, 'npm@11')),
  publish: ['publish', '--no-git-checks'],
  add: (spec) => ['add', spec],
});
