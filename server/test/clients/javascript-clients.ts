import { installed } from './installed.ts';
import type { JavascriptClient } from './javascript-client.ts';
import { bunLock, npmLock, pnpmLock, yarnBerryLock, yarnClassicLock } from './lock-files.ts';

/** With its own defaults: it audits what it installs. */
export const npm = (major: 10 | 11): JavascriptClient => ({
  command: (context) => [process.execPath, installed(context, `npm@${major}`)],
  settings: (registry) => ({ '.npmrc': `registry=${registry}\n` }),
  env: (home) => ({ NPM_CONFIG_USERCONFIG: `${home}/.npmrc`, NPM_CONFIG_CACHE: `${home}/.npm` }),
  install: ['install'],
  installLocked: ['ci'],
  add: ['install'],
  lockFile: 'package-lock.json',
  locked: npmLock,
});

export const PNPM_10: JavascriptClient = {
  command: (context) => [process.execPath, installed(context, 'pnpm@10')],
  settings: (registry) => ({ '.npmrc': `registry=${registry}\n` }),
  env: (home) => ({ PNPM_HOME: `${home}/pnpm` }),
  install: ['install'],
  installLocked: ['install', '--frozen-lockfile'],
  add: ['add'],
  lockFile: 'pnpm-lock.yaml',
  locked: pnpmLock,
};

export const YARN_1: JavascriptClient = {
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
};

export const YARN_4: JavascriptClient = {
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
};

export const BUN: JavascriptClient = {
  command: (context) => [installed(context, 'bun')],
  settings: (registry) => ({ 'bunfig.toml': `[install]\nregistry = ${JSON.stringify(registry)}\n` }),
  install: ['install'],
  installLocked: ['install', '--frozen-lockfile'],
  add: ['add'],
  lockFile: 'bun.lock',
  locked: bunLock,
  // bun shows nothing that an answer says.
  refused: { index: (address) => `GET ${address} - 403`, file: (address) => `GET ${address} - 403` },
};
