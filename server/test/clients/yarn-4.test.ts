import { installed } from './installed.ts';
import { javascriptClientSuite } from './javascript-client.ts';
import { yarnBerryLock } from './lock-files.ts';

javascriptClientSuite({
  command: (context) => [process.execPath, installed(context, 'yarn@4')],
  settings: (registry) => ({
    '.yarnrc.yml': [
      `npmRegistryServer: ${JSON.stringify(registry)}`,
      'unsafeHttpWhitelist: ["127.0.0.1"]',
      'nodeLinker: node-modules',
      'enableGlobalCache: false',
      'enableTelemetry: false',
      'npmMinimalAgeGate: 0',
      '',
    ].join('\n'),
  }),
  install: ['install', '--no-immutable'],
  installLocked: ['install', '--immutable', '--check-cache'],
  add: ['add'],
  lockFile: 'yarn.lock',
  locked: yarnBerryLock,
});
