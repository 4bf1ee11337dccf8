import { beforeEach, expect, test } from 'vitest';
import type { Outcome, Skippable } from '../support/clients.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { type Client, excerpts, normal, SHOWN, SITUATIONS, type Situation } from './refusals-doc.ts';

export const BLOCK = { reason: 'It steals wallets', url: 'https://advisories.test/1' };
/** Nothing is as old as that. */
export const LONG = '36500d';

/** What every refusal says, where the client shows it. */
const SAYS: Readonly<Record<Situation, RegExp>> = {
  index: /the cooldown "trial" <verdict>/,
  version: /.^/,
  file: /the cooldown "trial" <verdict>/,
  block: /is blocked by "wallets": It steals wallets \(https:\/\/advisories\.test\/1\)/,
};

export interface RefusedClient {
  readonly client: Client;
  /** Skips the test when the client is not there. */
  readonly require: (context: Skippable) => void;
  readonly server: () => ServerProcess;
  /** Asks for it with the rule in force; everything before that is done without one. */
  readonly asks: Readonly<Partial<Record<Situation, (rule: Rule) => Promise<Outcome>>>>;
  /** Those in which the client shows nothing that an answer says. */
  readonly mute?: readonly Situation[];
}

/** Puts a rule in force: a cooldown, or the block, of these packages. */
export type Rule = (...packages: readonly string[]) => Promise<void>;

/** What a client prints when it is refused is what `docs/refusals.md` shows, with the reason wherever it can be made to show it. */
export function refusedClientSuite({ client, require, server, asks, mute = [] }: RefusedClient): void {
  beforeEach((context) => require(context));

  const rule =
    (situation: Situation): Rule =>
    (...packages) => {
      if (situation === 'block')
        return server().manage('PUT', '/blocks/wallets', { name: 'wallets', packages, ...BLOCK });
      const ages = Object.fromEntries(packages.map((one) => [one, LONG]));
      return server().manage('PUT', '/cooldowns/trial', { name: 'trial', packages: ages });
    };

  test.each(SHOWN[client] as readonly Situation[])(`${client} is refused: %s`, async (situation) => {
    const ask = asks[situation];
    if (!ask) throw new Error(`${client} cannot be asked for: ${SITUATIONS[situation]}`);
    try {
      const { code, text } = await ask(rule(situation));
      const printed = normal(text, server().url);
      expect(code).not.toBe(0);
      if (situation !== 'version' && !mute.includes(situation)) expect(printed).toMatch(SAYS[situation]);
      const shown = excerpts().find((one) => one.client === client && one.situation === situation);
      for (const line of shown?.lines ?? ['no excerpt']) expect(printed).toContain(normal(line).trim());
    } finally {
      const path = situation === 'block' ? '/blocks/wallets' : '/cooldowns/trial';
      await server().manage('DELETE', path);
    }
  });
}
