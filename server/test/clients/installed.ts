import { clientTool, type Skippable } from '../support/clients.ts';

/** Programs that `npm run clients` installs. */
const PROGRAMS = {
  'npm@11': 'npm11/node_modules/.bin/npm',
  'npm@10': 'npm10/node_modules/.bin/npm',
  'pnpm@10': 'pnpm10/node_modules/.bin/pnpm',
  'yarn@1': 'yarn12222/node_modules/.bin/yarn',
  'yarn@4': 'yarnpkgcli-dist4/node_modules/.bin/yarn',
  bun: 'bun/node_modules/.bin/bun',
  uv: 'uv/bin/uv',
  twine: 'twine/bin/twine',
} as const;

/** Absolute path; skips the test, or fails it in CI, when it is not installed. */
export function installed(context: Skippable, client: keyof typeof PROGRAMS): string {
  return clientTool(context, PROGRAMS[client], `npm run clients installs ${client}`);
}
