import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import type { Application } from './application.ts';
import { loadSettings, parseFlags, type Settings, SettingsError } from './settings.ts';

/** Serves until a signal ends it. Resolves to the exit code: 1 when it could not start, 0 after an orderly end. */
export async function serve(argv: readonly string[]): Promise<number> {
  const settings = settingsFrom(argv);
  if (!settings) return 1;
  // What is kept here, credentials of upstreams among it, is nobody else's to read.
  process.umask(0o077);
  enableCompileCache(join(settings.data, 'cache', 'compiled'));
  const application = await started(settings);
  if (!application) return 1;
  const { url, adminToken, log, version } = application;
  const token = adminToken.path ?? 'the settings';
  log.announce(`Entrepot ${version} is ready at ${url}, its data in ${settings.data}, the admin token in ${token}`, {
    url,
    data: settings.data,
    admin_token_file: adminToken.path,
  });
  const signal = await firstSignal();
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

function firstSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
  });
}

function say(lines: readonly string[]): void {
  for (const line of lines) process.stderr.write(`entrepot: ${line}\n`);
}

if (import.meta.main) process.exit(await serve(process.argv.slice(2)));
