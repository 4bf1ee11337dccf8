import { run } from '../../src/cli/main.ts';

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The command line as a user types it, in this process. */
export async function commandLine(
  args: readonly string[],
  { cwd, env = {} }: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Promise<Ended> {
  const [out, err]: [string[], string[]] = [[], []];
  const around = { env, cwd, home: cwd, out: (text: string) => void out.push(text) };
  const code = await run(args, around, (text) => void err.push(text));
  return { code, out: out.join(''), err: err.join('') };
}
