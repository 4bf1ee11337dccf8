import { installed } from './installed.ts';
import { type JavascriptClient, javascriptClientSuite } from './javascript-client.ts';
import { npmLock } from './lock-files.ts';

/** npm with its own defaults: it audits what it installs. */
export function npmSuite(major: 10 | 11): void {
  const client: JavascriptClient = {
    command: (context) => [process.execPath, installed(context, `npm@${major}`)],
    settings: (registry) => ({ '.npmrc': `registry=${registry}\n` }),
    env: (home) => ({ NPM_CONFIG_USERCONFIG: `${home}/.npmrc`, NPM_CONFIG_CACHE: `${home}/.npm` }),
    install: ['install'],
    installLocked: ['ci'],
    add: ['install'],
    lockFile: 'package-lock.json',
    locked: npmLock,
  };
  javascriptClientSuite(client);
}
