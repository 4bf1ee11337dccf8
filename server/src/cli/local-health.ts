import { Command } from 'commander';
import { CommandError } from './client.ts';
import type { Ran, Surroundings } from './surroundings.ts';

/** For a container's health check: asks the server with the same settings, as `serve` reads them. */
export function healthCommand(around: Surroundings, ran: Ran, json: () => boolean): Command {
  return new Command('health')
    .description('say whether the server with these settings takes requests; exit code 0 it does, 1 it does not')
    .option('--live', 'only whether it answers at all, whatever its database says')
    .argument('[flags...]', 'settings, as serve has them')
    .allowUnknownOption()
    .action(async (flags: readonly string[], { live }: { readonly live?: boolean }) => {
      const { loadSettings, parseFlags, SettingsError } = await import('../app/settings.ts');
      const { ownHealth } = await import('../app/own-health.ts');
      try {
        const settings = loadSettings({ flags: parseFlags(flags), env: around.env, cwd: around.cwd });
        const { well, says } = await ownHealth(settings, live === true);
        around.out(json() ? `${JSON.stringify({ well, says })}\n` : `${says}\n`);
        ran.exitCode = well ? 0 : 1;
      } catch (error) {
        if (error instanceof SettingsError) throw new CommandError(error.problems.join('\n'), { cause: error });
        throw error;
      }
    });
}
