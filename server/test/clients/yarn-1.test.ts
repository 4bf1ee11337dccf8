import { installed } from './installed.ts';
import { javascriptClientSuite } from './javascript-client.ts';
import { yarnClassicLock } from './lock-files.ts';

javascriptClientSuite({
  command: (context) => [process.execPath, installed(context, 'yarn@1')],
  settings: (registry) => ({ '.yarnrc': `registry "${registry}"\n` }),
  env: (home) => ({ YARN_CACHE_FOLDER: `${home}/yarn` }),
  install: ['install', '--non-interactive'],
  installLocked: ['install', '--non-interactive', '--frozen-lockfile'],
  add: ['add', '--non-interactive'],
  lockFile: 'yarn.lock',
  locked: yarnClassicLock,
  // Of a file's answer it shows the status, in words of its own.
  refused: { file: (address) => `${address}: Request failed "403 Forbidden"` },
});
