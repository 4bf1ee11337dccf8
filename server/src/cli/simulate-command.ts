import { Command } from 'commander';
import { Client, CommandError } from './client.ts';
import { textOf } from './input.ts';
import type { Proposal } from './simulate.ts';
import type { Ran, Surroundings } from './surroundings.ts';

interface Flags {
  readonly days?: string;
  readonly remove?: readonly string[];
}

/** `entrepot simulate <file>`: what would rules that are not declared yet have refused? `shared` are the program's own options. */
export function simulateCommand(
  around: Surroundings,
  ran: Ran,
  shared: () => { readonly url?: string; readonly json?: boolean },
): Command {
  return new Command('simulate')
    .description('say what other rules would have made of the recorded pulls')
    .argument('[file]', 'JSON or YAML: a list of {kind, name, spec}, or {resources, remove}')
    .option('--days <number>', 'pulls of so many days (default: 30)')
    .option('--remove <rule>', 'as if this rule were gone: cooldown/default; as often as needed', collected)
    .addHelpText(
      'after',
      '\nExit codes: 0 nothing would be refused, 1 at least one pull would be, 2 that could not be found out.',
    )
    .action(async (file: string | undefined, flags: Flags) => {
      try {
        const { url, json } = shared();
        const given = file === undefined ? {} : await proposalIn(file, around.cwd);
        const { simulate } = await import('./simulate.ts');
        const client = await Client.of({ url, env: around.env, cwd: around.cwd });
        const { data, text, refused } = await simulate(client, withFlags(given, flags), around.progress ?? (() => {}));
        around.out(json ? `${JSON.stringify(data, undefined, 2)}\n` : text);
        if (refused > 0) ran.exitCode = 1;
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        throw new CommandError(error.message, { cause: error, exitCode: 2 });
      }
    });
}

const collected = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

function withFlags(given: Proposal, { days, remove = [] }: Flags): Proposal {
  const gone = remove.map((rule) => {
    const [kind, ...name] = rule.split('/');
    return { kind, name: name.join('/') };
  });
  return {
    ...given,
    ...(gone.length === 0 ? {} : { remove: [...(given.remove ?? []), ...gone] }),
    ...(days === undefined ? {} : { days: Number(days) }),
  };
}

async function proposalIn(file: string, cwd: string): Promise<Proposal> {
  const { parse } = await import('yaml');
  let value: unknown;
  try {
    value = parse(await textOf(file, cwd));
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`${file} is neither JSON nor YAML: ${(error as Error).message.split('\n')[0]}`, {
      cause: error,
    });
  }
  if (Array.isArray(value)) return { resources: value };
  if (typeof value === 'object' && value !== null) return value as Proposal;
  throw new CommandError(`${file} has no rules: it must be a list of {kind, name, spec}, or {resources, remove}`);
}
