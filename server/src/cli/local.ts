import { Command } from 'commander';
import { CommandError } from './client.ts';
import { healthCommand } from './local-health.ts';
import { maintenanceCommands, type Shared } from './local-maintenance.ts';
import { table } from './print.ts';
import type { Ran, Surroundings } from './surroundings.ts';

/** What needs no running server. Settings are flags of their own (`--listen`, `--data` …), which the settings know. */
export function localCommands(around: Surroundings, ran: Ran, shared: () => Shared): readonly Command[] {
  const json = () => shared().json === true;
  return [
    serveCommand(),
    healthCommand(around, ran, json),
    configCommand(around, json),
    terraformCommand(around),
    ...maintenanceCommands(around, ran, shared),
  ];
}

function serveCommand(): Command {
  return taking(new Command('serve').description('serve packages')).action(async (flags: readonly string[]) => {
    const { serve } = await import('../app/main.ts');
    // Whatever is still open then has nothing to wait for.
    process.exit(await serve(flags));
  });
}

function configCommand(around: Surroundings, json: () => boolean): Command {
  return taking(new Command('config').description('show the settings and where each comes from')).action(
    async (flags: readonly string[]) => {
      const { explainSettings, parseFlags, SettingsError } = await import('../app/settings.ts');
      try {
        const settings = explainSettings({
          flags: parseFlags(flags),
          env: around.env,
          cwd: around.cwd,
          terminal: process.stdout.isTTY,
        });
        const rows = settings.map(({ key, value, origin }) => [key, value, origin]);
        around.out(json() ? `${JSON.stringify(settings, undefined, 2)}\n` : table(['SETTING', 'VALUE', 'FROM'], rows));
      } catch (error) {
        if (error instanceof SettingsError) throw new CommandError(error.problems.join('\n'), { cause: error });
        throw error;
      }
    },
  );
}

function taking(command: Command): Command {
  return command
    .argument('[flags...]', 'settings: --listen 127.0.0.1:8080, --data ./data …; docs/reference/settings.md lists them')
    .allowUnknownOption();
}

function terraformCommand(around: Surroundings): Command {
  const terraform = new Command('terraform').description('the Terraform provider');
  terraform
    .command('install')
    .description('put the provider where the local Terraform CLI finds it')
    .action(async () => {
      const { installProvider } = await import('./terraform-install.ts');
      const { report } = await installProvider({ home: around.home, env: around.env, node: process.execPath }).catch(
        (error: unknown) => {
          throw error instanceof Error ? new CommandError(error.message, { cause: error }) : error;
        },
      );
      around.out(report.endsWith('\n') ? report : `${report}\n`);
    });
  return terraform;
}
