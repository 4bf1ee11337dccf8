import { readFileSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { pathToFileURL } from 'node:url';
import { CommanderError } from 'commander';
import { CommandError } from './client.ts';
import { createProgram } from './program.ts';
import type { Ran, Surroundings } from './surroundings.ts';

/** Exit code: 0 it worked, 1 it did not, 2 it was not understood; commands that say so in their help have their own. */
export async function run(argv: readonly string[], around: Surroundings, err: (text: string) => void): Promise<number> {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const ran: Ran = { exitCode: 0 };
  const program = createProgram(around, ran, version);
  for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)]) {
    command.exitOverride().configureOutput({ writeOut: around.out, writeErr: err });
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return ran.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!(error instanceof CommandError)) throw error;
    for (const line of error.message.split('\n')) err(`entrepot: ${line}\n`);
    return error.exitCode;
  }
}

// Also when `bin/entrepot.mjs` imports it, which says so in its arguments.
if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) {
  const around = {
    env: process.env,
    cwd: process.cwd(),
    home: homedir(),
    out: (text: string) => void process.stdout.write(text),
    ...(process.stderr.isTTY ? { progress: (text: string) => void process.stderr.write(`\r\u001b[K${text}`) } : {}),
  };
  process.exitCode = await run(process.argv.slice(2), around, (text) => void process.stderr.write(text));
}
