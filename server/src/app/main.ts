import { enableCompileCache } from 'node:module';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { Application } from './application.ts';
import { loadSettings, parseFlags, type Settings, SettingsError } from './settings.ts';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** Serves until a signal ends it. Resolves to the exit code: 1 when it could not start, 0 after an orderly end. */
export async function serve(argv: readonly string[]): Promise<number> {
  const settings = settingsFrom(argv);
  if (!settings) return 1;
  // What is kept here, credentials of upstreams among it, is nobody else's to read.
  process.umask(0o077);
  enableCompileCache(join(settings.data, 'cache', 'compiled'));
  // Process 1 of a container ignores a signal that nobody listens for.
  for (const signal of SIGNALS) process.once(signal, endAtOnce);
  const application = await started(settings);
  for (const signal of SIGNALS) process.off(signal, endAtOnce);
  if (!application) return 1;
  const ending = firstSignal();
  const { url, adminToken, log, version } = application;
  const token = adminToken.path ?? 'the settings';
  log.announce(`Entrepot ${version} is ready at ${url}, its data in ${settings.data}, the admin token in ${token}`, {
    url,
    data: settings.data,
    admin_token_file: adminToken.path,
  });
  // Whoever rotates logs may send it; the log is standard output, so there is nothing to open anew. A terminal that closes ends us.
  if (!process.stdout.isTTY) process.on('SIGHUP', () => log.info('SIGHUP: there is nothing to open anew'));
  const signal = await ending;
  log.info(`${signal}: letting transfers end`);
  process.once(signal, () => process.exit(1));
  await application.close();
  return 0;
}

function settingsFrom(argv: readonly string[]): Settings | undefined {
  try {
    return loadSettings({
      flags: parseFlags(argv),
      env: process.env,
      cwd: process.cwd(),
      terminal: process.stdout.isTTY,
    });
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    say(error.problems);
    return undefined;
  }
}

async function started(settings: Settings): Promise<Application | undefined> {
  const { createApplication } = await import('./application.ts');
  try {
    return await createApplication(settings);
  } catch (error) {
    const { startupFailure } = await import('./startup-failure.ts');
    say([startupFailure(error, settings)]);
    return undefined;
  }
}

/** What is half done by then is undone or done by the next start, as after a crash. */
function endAtOnce(signal: NodeJS.Signals): never {
  process.exit(128 + constants.signals[signal]);
}

function firstSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of SIGNALS) process.once(signal, resolve);
  });
}

function say(lines: readonly string[]): void {
  for (const line of lines) process.stderr.write(`entrepot: ${line}\n`);
}

if (import.meta.main) process.exit(await serve(process.argv.slice(2)));
