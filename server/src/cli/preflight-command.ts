import { Command, Option } from 'commander';
import { Client, CommandError } from './client.ts';
import { textOf } from './input.ts';
import { KINDS, type Kind } from './lockfiles/kind.ts';
import type { Ran, Surroundings } from './surroundings.ts';

interface Flags {
  readonly repository?: string;
  readonly kind?: Kind;
  readonly registry?: readonly string[];
  readonly all?: boolean;
}

/** `entrepot preflight <lock file>`: would an install of it be refused? `shared` are the program's own options. */
export function preflightCommand(
  around: Surroundings,
  ran: Ran,
  shared: () => { readonly url?: string; readonly json?: boolean },
): Command {
  return new Command('preflight')
    .description('say of every release in a lock file whether policy admits it, and from when')
    .argument('<lock file>', 'package-lock.json, pnpm-lock.yaml, yarn.lock, uv.lock, Cargo.lock, go.sum …')
    .option('--repository <name>', 'as it is installed through this repository')
    .addOption(new Option('--kind <kind>', 'what the file is, where its name does not say').choices(KINDS))
    .option('--registry <address>', 'ask about packages from this registry too; as often as needed', collected)
    .option('--all', 'show also what is allowed')
    .addHelpText('after', '\nExit codes: 0 all are allowed, 1 at least one is refused, 2 that could not be found out.')
    .action(async (file: string, { kind, registry = [], ...flags }: Flags) => {
      try {
        const { url, json } = shared();
        const text = await textOf(file, around.cwd);
        const [{ readLockFile }, { preflight }] = await Promise.all([
          import('./lockfiles/read.ts'),
          import('./preflight.ts'),
        ]);
        const client = await Client.of({ url, env: around.env, cwd: around.cwd });
        const lock = readLockFile(file, text, { kind, registries: [client.address, ...registry] });
        const { data, text: report, refused } = await preflight(client, lock, { file, ...flags });
        around.out(json ? `${JSON.stringify(data, undefined, 2)}\n` : report);
        if (refused > 0) ran.exitCode = 1;
      } catch (error) {
        if (!(error instanceof CommandError) && (error as Error).name !== 'LockFileError') throw error;
        throw new CommandError((error as Error).message, { cause: error, exitCode: 2 });
      }
    });
}

const collected = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
