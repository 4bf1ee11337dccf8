import { fileURLToPath } from 'node:url';
import type { FreshMachine, Outcome } from './clients.ts';
import type { ServerProcess } from './server-process.ts';

const PROGRAM = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** One pin of a lock file, and what the rules say of it. */
export interface Judged {
  readonly purl: string;
  readonly allowed: boolean;
  readonly rule?: string;
  readonly reason?: string;
  readonly until?: string;
  readonly nearest?: string;
}

export interface Preflight {
  readonly code: number;
  readonly refused: number;
  readonly items: readonly Judged[];
}

/** `entrepot` as it is built, on a machine that has the server's token. */
export function terminal(server: ServerProcess, machine: FreshMachine, ...args: readonly string[]): Promise<Outcome> {
  const env = { ENTREPOT_URL: server.url, ENTREPOT_TOKEN: server.token };
  return machine.run([process.execPath, PROGRAM, ...args], env);
}

/** `entrepot preflight` of a file in the project; `more`: further arguments. */
export async function preflight(
  server: ServerProcess,
  machine: FreshMachine,
  file: string,
  ...more: readonly string[]
): Promise<Preflight> {
  const { code, text } = await terminal(server, machine, '--json', 'preflight', file, ...more);
  if (code > 1) throw new Error(`preflight ended with ${code}:\n${text}`);
  return { code, ...(JSON.parse(text) as Omit<Preflight, 'code'>) };
}
