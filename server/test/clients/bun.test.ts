import { installed } from './installed.ts';
import { javascriptClientSuite } from './javascript-client.ts';
import { bunLock } from './lock-files.ts';

javascriptClientSuite({
  command: (context) => [installed(context, 'bun')],
  settings: (registry) => ({ 'bunfig.toml': `[install]\nregistry = ${JSON.stringify(registry)}\n` }),
  install: ['install'],
  installLocked: ['install', '--frozen-lockfile'],
  add: ['add'],
  lockFile: 'bun.lock',
  locked: bunLock,
  // bun shows nothing that an answer says.
  refused: { index: (address) => `GET ${address} - 403`, file: (address) => `GET ${address} - 403` },
});
