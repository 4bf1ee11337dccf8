import { installed } from './installed.ts';
import { javascriptClientSuite } from './javascript-client.ts';
import { pnpmLock } from './lock-files.ts';

javascriptClientSuite({
  command: (context) => [process.execPath, installed(context, 'pnpm@10')],
  settings: (registry) => ({ '.npmrc': `registry=${registry}\n` }),
  env: (home) => ({ PNPM_HOME: `${home}/pnpm` }),
  install: ['install'],
  installLocked: ['install', '--frozen-lockfile'],
  add: ['add'],
  lockFile: 'pnpm-lock.yaml',
  locked: pnpmLock,
});
