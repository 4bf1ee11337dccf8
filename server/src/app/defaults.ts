import { Fault } from '../engine/fault.ts';
import type { AnyFormat } from '../engine/format.ts';
import type { Log } from '../engine/log.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Change } from './change.ts';
import type { Configuration } from './configuration.ts';
import { defaultUpstream } from './default-upstream.ts';

export interface DefaultsDeps {
  readonly configuration: Configuration;
  readonly ledger: Pick<Ledger, 'fact' | 'setFact'>;
  readonly formats: readonly AnyFormat[];
  readonly log: Log;
}

/**
 * A remote of the public registry and a virtual in front of it, for each format with a known public registry: once per format
 * and installation. The fact is set after the resources: a crash between the two finds them there at the next start and
 * only sets the fact; what was deleted since it was set is not made again.
 */
export async function makeDefaults({ configuration, ledger, formats, log }: DefaultsDeps): Promise<void> {
  for (const format of formats) {
    const fact = `defaults.${format.id}`;
    if (defaultUpstream(format) === undefined || (await ledger.fact(fact)) !== undefined) continue;
    try {
      await configuration.changeAll(defaultsOf(format), { managedBy: 'defaults' });
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'conflict') throw error;
      log.info(`no default repositories of format ${format.id} were made: ${error.message}`);
    }
    await ledger.setFact(fact, 'made');
  }
}

function defaultsOf({ id, traits: { title, mount } }: AnyFormat): readonly Change[] {
  const remote = `${id}-public`;
  const description = `The public ${title} registry.`;
  return [
    put('remote', remote, { name: remote, format: id, description }),
    put('virtual', mount, {
      name: mount,
      format: id,
      members: [remote],
      description: `${title} packages for every build.`,
    }),
  ];
}

function put(kind: string, name: string, spec: Readonly<Record<string, unknown>>): Change {
  return { op: 'put', kind, name, spec, expected: { state: 'absent', otherwise: 'conflict' } };
}
