import { Command, Option } from 'commander';
import { Client } from './client.ts';
import { evict, explain, get, type Printed, probe, pulls, stats } from './commands.ts';
import { decisions } from './decisions.ts';
import { localCommands } from './local.ts';
import { verifyLocally } from './local-maintenance.ts';
import { preflightCommand } from './preflight-command.ts';
import { simulateCommand } from './simulate-command.ts';
import type { Ran, Surroundings } from './surroundings.ts';
import { verifyCommand, verifyOnline } from './verify-command.ts';

interface Options {
  readonly url?: string;
  readonly json?: boolean;
}

export function createProgram(around: Surroundings, ran: Ran, version: string): Command {
  const program = new Command('entrepot')
    .description('An artifact registry and caching proxy for every package ecosystem.')
    .version(version)
    .option('--url <address>', 'address of the server (ENTREPOT_URL, else http://127.0.0.1:8080)')
    .option('--json', 'print JSON, for programs')
    .showHelpAfterError('(entrepot --help lists the commands)')
    .addHelpText(
      'after',
      '\nThe token is ENTREPOT_TOKEN, or for a server on this machine the file admin-token in its data folder (ENTREPOT_DATA, else ./data).\nExit codes: 0 it worked, 1 it did not, 2 it was not understood.',
    );

  /** A command that asks the server and prints what it says. */
  const asking =
    <Arguments extends unknown[]>(ask: (client: Client, ...given: Arguments) => Promise<Printed>) =>
    async (...given: [...Arguments, ...unknown[]]): Promise<void> => {
      const { url, json } = program.opts<Options>();
      const client = await Client.of({ url, env: around.env, cwd: around.cwd });
      const { data, text } = await ask(client, ...(given as unknown as Arguments));
      around.out(json ? `${JSON.stringify(data, undefined, 2)}\n` : text);
    };

  for (const command of localCommands(around, ran, () => program.opts<Options>())) program.addCommand(command);
  program
    .command('get')
    .description('show what is declared')
    .argument('<kind>', 'remote, virtual')
    .argument('[name]')
    .action(asking(get));
  program
    .command('pulls')
    .description('show the audit log, newest first')
    .option('--purl <purl>', 'only this package, or release of it: pkg:npm/express@4.18.2')
    .option('--digest <digest>', 'only these bytes: sha256:…')
    .option('--repository <name>', 'only through this repository')
    .option('--principal <name>', 'only by this principal')
    .option('--consumer <id>', 'only for this consumer')
    .addOption(new Option('--decision <decision>', 'only these').choices(['allowed', 'refused']))
    .option('--since <time>', 'from this time on: 2026-03-01T00:00:00Z')
    .option('--until <time>', 'before this time')
    .option('--limit <number>', 'at most so many (default: 100)')
    .option('--after <id>', 'go on after this pull')
    .addOption(new Option('--format <format>', 'everything, as it comes').choices(['csv', 'ndjson']))
    .action(async ({ format, ...query }: Record<string, string>) => {
      if (format === undefined) return asking(pulls)(query);
      const client = await Client.of({ url: program.opts<Options>().url, env: around.env, cwd: around.cwd });
      const response = await client.send('api/v2/pulls', {
        query,
        accept: format === 'csv' ? 'text/csv' : 'application/x-ndjson',
      });
      for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) around.out(chunk);
    });
  program
    .command('evict')
    .description('let go of what a remote or hosted repository keeps: one of --path, --prefix, --purl, --all says what')
    .argument('<repository>')
    .addOption(new Option('--path <path>', 'this one').conflicts(['prefix', 'purl', 'all']))
    .addOption(new Option('--prefix <prefix>', 'what begins so').conflicts(['purl', 'all']))
    .addOption(new Option('--purl <purl>', 'this package, or release of it').conflicts('all'))
    .option('--all', 'everything')
    .option('--hosted', 'the repository is a hosted one')
    .action(async (repository: string, targets: Record<string, string>, command: Command) => {
      if (Object.keys(targets).every((name) => name === 'hosted'))
        command.error('error: one of --path, --prefix, --purl, --all says what to evict');
      await asking(evict)(repository, targets);
    });
  program
    .command('explain')
    .description('say what the rules make of a release, by which evidence, and what to use instead')
    .argument('<purl>')
    .option('--repository <name>', 'through which it is asked for')
    .action(asking(explain));
  program
    .command('probe')
    .description('fetch from an upstream without a client')
    .argument('<remote>')
    .argument('<path>')
    .action(asking(probe));
  program.addCommand(preflightCommand(around, ran, () => program.opts<Options>()));
  program.addCommand(simulateCommand(around, ran, () => program.opts<Options>()));
  program
    .command('decisions')
    .description('show what rules decided, newest first; with an id: all that is known of one')
    .argument('[id]', 'of a refusal, as its answer says')
    .option('--purl <purl>', 'only of this package, or release of it')
    .option('--repository <name>', 'only through this repository')
    .option('--consumer <id>', 'only for this consumer')
    .addOption(new Option('--decision <decision>', 'only these').choices(['refused', 'observed', 'exempted']))
    .option('--since <time>', 'from this time on: 2026-03-01T00:00:00Z')
    .option('--limit <number>', 'at most so many (default: 100)')
    .option('--after <id>', 'go on after this one')
    .action(asking(decisions));
  const shared = () => program.opts<Options>();
  program.addCommand(
    verifyLocally(verifyCommand(around, ran, shared), around, ran, {
      json: () => shared().json === true,
      online: () => verifyOnline(around, ran, shared(), false),
    }),
  );
  program.command('stats').description('show how much there is').action(asking(stats));
  return program;
}
