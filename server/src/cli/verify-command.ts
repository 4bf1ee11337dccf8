import { Command } from 'commander';
import { Client } from './client.ts';
import type { Ran, Surroundings } from './surroundings.ts';
import { verifyStore } from './verify-store.ts';

/** `entrepot verify`: is what is kept what it should be? `shared` are the program's own options. */
export function verifyCommand(
  around: Surroundings,
  ran: Ran,
  shared: () => { readonly url?: string; readonly json?: boolean },
): Command {
  return new Command('verify').description('look whether what is kept is what it should be').addCommand(
    new Command('store')
      .description('hold every blob of the store against the ledger, and read it')
      .option('--quick', 'do not read them: only whether they are there, in their size')
      .addHelpText('after', '\nExit codes: 0 every blob is sound, 1 at least one is not, or it could not be found out.')
      .action(async ({ quick }: { readonly quick?: boolean }) => {
        await verifyOnline(around, ran, shared(), quick !== true);
      }),
  );
}

/** `read`: every blob, not only whether it is there. */
export async function verifyOnline(
  around: Surroundings,
  ran: Ran,
  { url, json }: { readonly url?: string; readonly json?: boolean },
  read: boolean,
): Promise<void> {
  const client = await Client.of({ url, env: around.env, cwd: around.cwd });
  const { data, text, damaged } = await verifyStore(client, read, around.progress ?? (() => {}));
  around.out(json ? `${JSON.stringify(data, undefined, 2)}\n` : text);
  if (damaged > 0) ran.exitCode = 1;
}
