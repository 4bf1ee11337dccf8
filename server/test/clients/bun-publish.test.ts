import { installed } from './installed.ts';
import { publishingSuite } from './javascript-publishing.ts';

publishingSuite({
  title: 'bun',
  command: (context) => [installed(context, 'bun')],
  env: ({ home }) => ({ BUN_INSTALL_CACHE_DIR: `${home}/bun` }),
  settings: (registry, token) => ({
    'bunfig.toml': `[install]\nregistry = { url = ${JSON.stringify(registry)}, token = ${JSON.stringify(token)} }\n`,
  }),
  publish: ['publish'],
  add: (spec) => ['add', spec],
  conflict: /with other bytes|409/,
});
