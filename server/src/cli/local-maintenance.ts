import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import type { Settings } from '../app/settings.ts';
import { type BackupFlags, backUp, fileFor, keptAs } from './backup.ts';
import { Client, CommandError, NoAnswer } from './client.ts';
import { backupText, missingLines, movedText, restoreText } from './maintenance-text.ts';
import { bar, size } from './print.ts';
import type { Ran, Surroundings } from './surroundings.ts';

/** The program's own options. */
export interface Shared {
  readonly url?: string;
  readonly json?: boolean;
}

interface Places {
  readonly config?: string | undefined;
  readonly data?: string | undefined;
  readonly databaseUrl?: string | undefined;
  readonly storageUrl?: string | undefined;
}

/** What keeps an installation: backups, with a server or without. */
export function maintenanceCommands(around: Surroundings, ran: Ran, shared: () => Shared): readonly Command[] {
  const told = (data: unknown, text: string) =>
    around.out(shared().json ? `${JSON.stringify(data, undefined, 2)}\n` : text);
  return [backupCommand(around, shared, told), restoreCommand(around, ran, told), moveCommand(around, ran, told)];
}

type Told = (data: unknown, text: string) => void;

function backupCommand(around: Surroundings, shared: () => Shared, told: Told): Command {
  return placed(new Command('backup').description('copy ledger and configuration into a file, while the server serves'))
    .argument('<file>', 'a new file, or a folder, for one that is named after the time')
    .addOption(
      new Option('--with-blobs <which>', 'blobs too: hosted, which no upstream has, or all').choices(['hosted', 'all']),
    )
    .option('--with-secrets', 'the admin token and the secret key too')
    .option('--offline', 'the server is stopped: read its data folder')
    .addHelpText(
      'after',
      '\nThe server is asked for it; when none runs on this machine, the data folder is read. The file is read again at the end.',
    )
    .action(async (given: string, flags: BackupFlags & Places & { readonly offline?: boolean }) => {
      const progress = around.progress ?? (() => {});
      const file = await fileFor(given, around.cwd, new Date());
      const online = !flags.offline && (await asked(around, shared(), file, flags));
      if (!online) await offline(around, file, flags, progress).catch(elsewhere);
      const { verifyBackup } = await import('../maintenance/verify-backup.ts');
      const { stat } = await import('node:fs/promises');
      const { manifest, completion } = await readable(() => verifyBackup(file));
      const { size: bytes } = await stat(file);
      told({ file, size: bytes, manifest, missing: completion.missing }, backupText(file, bytes, manifest, completion));
    });
}

/** The folder is in use: a server runs, at another address than the one that was asked. */
function elsewhere(error: unknown): never {
  if (!(error instanceof CommandError) || !error.message.includes(' is in use by the Entrepot ')) throw error;
  throw new CommandError(
    `a server uses the data folder, and none answers at http://127.0.0.1:8080: --url or ENTREPOT_URL names its address`,
    { cause: error },
  );
}

/** False: no server runs here. */
async function asked(
  around: Surroundings,
  { url }: Shared,
  file: string,
  flags: BackupFlags & Places,
): Promise<boolean> {
  const env = flags.data === undefined ? around.env : { ...around.env, ENTREPOT_DATA: flags.data };
  const client = await Client.of({ url, env, cwd: around.cwd });
  try {
    await backUp(client, file, flags, around.progress ?? (() => {}));
    return true;
  } catch (error) {
    if (!(error instanceof NoAnswer) || url !== undefined || around.env['ENTREPOT_URL']) throw error;
    return false;
  }
}

async function offline(
  around: Surroundings,
  file: string,
  flags: BackupFlags & Places,
  progress: (text: string) => void,
): Promise<void> {
  const { backUpOffline } = await import('../maintenance/offline.ts');
  const settings = await settingsOf(around, flags);
  const blobs = (flags.withBlobs ?? 'none') as 'none' | 'hosted' | 'all';
  await readable(async () => {
    await using opened = new AsyncDisposableStack();
    const { output } = await backUpOffline(settings, { blobs, secrets: flags.withSecrets === true }, opened);
    await keptAs(file, output, progress);
  });
}

function restoreCommand(around: Surroundings, ran: Ran, told: Told): Command {
  return placed(new Command('restore').description('put a backup into a data folder, with the server stopped'))
    .argument('<file>', 'the backup')
    .option('--force', 'move aside what is there')
    .option('--new-keys', 'without the secret key of that time: what it sealed is left out, new keys are made')
    .addHelpText(
      'after',
      '\nExit codes: 0 it is all there, 1 it was not restored, 3 restored, and published files are missing.',
    )
    .action(async (given: string, flags: Places & { readonly force?: boolean; readonly newKeys?: boolean }) => {
      const { restoreOffline } = await import('../maintenance/offline.ts');
      const settings = await settingsOf(around, flags);
      const progress = around.progress ?? (() => {});
      const restored = await readable(() =>
        restoreOffline(settings, resolve(around.cwd, given), {
          force: flags.force === true,
          newKeys: flags.newKeys === true,
          progress: ({ done, of }) => progress(`reading: ${bar(done, of)} ${size(done)} of ${size(of)}`),
        }),
      ).finally(() => progress(''));
      told(restored, restoreText(settings.data, restored));
      if (restored.report.missing.some(({ fetchable }) => !fetchable)) ran.exitCode = 3;
    });
}

function moveCommand(around: Surroundings, ran: Ran, told: Told): Command {
  return placed(new Command('move').description('copy ledger and blobs to another place, with the server stopped'))
    .option('--to-database <url>', 'where the ledger is to be: sqlite:<file>, postgres://user@host/database')
    .option('--to-storage <url>', 'where blobs are to be: file:<folder>, s3://bucket?endpoint=…')
    .addHelpText(
      'after',
      '\nWhat it is copied from stays as it is. Broken off, it goes on when it is called again.\nExit codes: 0 it is all there, 1 it was not moved, 3 moved, and published files are missing.',
    )
    .action(async (flags: Places & { readonly toDatabase?: string; readonly toStorage?: string }, command: Command) => {
      const { toDatabase, toStorage } = flags;
      if (toDatabase === undefined && toStorage === undefined)
        command.error('error: one of --to-database, --to-storage says where to');
      const { moveOffline } = await import('../maintenance/offline.ts');
      const from = await settingsOf(around, flags);
      const to = await settingsOf(around, {
        ...flags,
        databaseUrl: toDatabase ?? flags.databaseUrl,
        storageUrl: toStorage ?? flags.storageUrl,
      });
      const progress = around.progress ?? (() => {});
      const moved = await readable(() =>
        moveOffline(from, to, ({ doing, done, of }) => progress(`${doing}: ${bar(done, of)} ${done} of ${of}`)),
      ).finally(() => progress(''));
      told(moved, movedText(moved));
      if (moved.report.missing.some(({ fetchable }) => !fetchable)) ran.exitCode = 3;
    });
}

/** What `entrepot verify` does without a server: `verify backup <file>`, and `verify --offline`. */
export function verifyLocally(
  verify: Command,
  around: Surroundings,
  ran: Ran,
  { json, online }: { readonly json: () => boolean; readonly online: () => Promise<void> },
): Command {
  const progress = around.progress ?? (() => {});
  const told = (data: unknown, text: string) => around.out(json() ? `${JSON.stringify(data, undefined, 2)}\n` : text);
  verify.addCommand(
    new Command('backup')
      .description('read a backup to its end: is all of it there, and as it was?')
      .argument('<file>')
      .action(async (given: string) => {
        const { verifyBackup } = await import('../maintenance/verify-backup.ts');
        const { stat } = await import('node:fs/promises');
        const file = resolve(around.cwd, given);
        const { manifest, completion } = await readable(() =>
          verifyBackup(file, ({ done, of }) => progress(`reading: ${bar(done, of)} ${size(done)} of ${size(of)}`)),
        ).finally(() => progress(''));
        const { size: bytes } = await stat(file);
        told(
          { file, size: bytes, manifest, missing: completion.missing },
          backupText(file, bytes, manifest, completion),
        );
      }),
  );
  return placed(verify)
    .option('--offline', 'the server is stopped: hold what its settings name against each other')
    .addHelpText('after', '\nWithout a command: is every blob there that something refers to? Exit codes: 0 yes, 1 no.')
    .action(async (flags: Places & { readonly offline?: boolean }) => {
      if (!flags.offline) return online();
      const { missingOffline } = await import('../maintenance/offline.ts');
      const settings = await settingsOf(around, flags);
      const report = await readable(() => missingOffline(settings, (blobs) => progress(`${blobs} blobs`))).finally(() =>
        progress(''),
      );
      told(report, `${missingLines(report).join('\n')}\n`);
      if (report.missing.length > 0) ran.exitCode = 1;
    });
}

function placed(command: Command): Command {
  return command
    .option('--config <file>', 'settings (ENTREPOT_CONFIG, else ./entrepot.yaml)')
    .option('--data <folder>', 'data folder (ENTREPOT_DATA, else ./data)')
    .option('--database-url <url>', 'where the ledger is (ENTREPOT_DATABASE_URL)')
    .option('--storage-url <url>', 'where blobs are (ENTREPOT_STORAGE_URL)');
}

async function settingsOf(around: Surroundings, { config, data, databaseUrl, storageUrl }: Places): Promise<Settings> {
  const { loadSettings, SettingsError } = await import('../app/settings.ts');
  const given = { config, data, database_url: databaseUrl, storage_url: storageUrl };
  const flags = Object.fromEntries(
    Object.entries(given).filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
  try {
    return loadSettings({ flags, env: around.env, cwd: around.cwd });
  } catch (error) {
    if (error instanceof SettingsError) throw new CommandError(error.problems.join('\n'), { cause: error });
    throw error;
  }
}

/** What it throws is told in one line. */
async function readable<Result>(work: () => Promise<Result>): Promise<Result> {
  // What is made here, credentials among it, is nobody else's to read.
  process.umask(0o077);
  try {
    return await work();
  } catch (error) {
    if (error instanceof CommandError || !(error instanceof Error)) throw error;
    const { lineOf } = await import('../maintenance/line.ts');
    throw new CommandError(lineOf(error), { cause: error });
  }
}
