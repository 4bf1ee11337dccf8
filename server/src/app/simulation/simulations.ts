import { Fault, type FieldError } from '../../engine/fault.ts';
import type { AnyFormat } from '../../engine/format.ts';
import { LedgerError, type ResourceRow } from '../../ledger/ledger.ts';
import { type Change, keyOf, type Outcome, type Resources } from '../change.ts';
import type { Configuration } from '../configuration.ts';
import { POLICY_KINDS, policyOf } from '../policy.ts';
import { type Progress, type Simulated, type SimulatedLedger, Simulation } from './simulation.ts';
import type { Tallied } from './tally.ts';

export interface SimulationsDeps {
  readonly configuration: Pick<Configuration, 'changeAll' | 'served' | 'snapshot'>;
  readonly ledger: SimulatedLedger;
  readonly journal: { drain(): Promise<void> };
  readonly formats: ReadonlyMap<string, AnyFormat>;
  readonly now: () => number;
}

const DAY = 86_400_000;
/** At once: each holds what it has met in memory. */
const MOST_RUNNING = 3;
/** What a dry run may cost: whoever plans a change waits for it. */
const GLANCE = { days: 30, newest: 100_000, releases: 20_000, ms: 5000 } as const;

/** What changes of policy would have done. */
export class Simulations {
  readonly #deps: SimulationsDeps;
  #running = 0;

  constructor(deps: SimulationsDeps) {
    this.#deps = deps;
  }

  /** Validated like the changes themselves. Throws their `Fault`; `rate_limited` when others run. */
  async simulate(
    changes: readonly Change[],
    days: number,
    told?: (progress: Progress) => void,
    signal?: AbortSignal,
  ): Promise<Simulated> {
    const proposed = await this.proposal(changes);
    return this.run(proposed, days, told, signal);
  }

  /** What would be declared. Throws the `Fault` of the changes. */
  async proposal(changes: readonly Change[]): Promise<Resources> {
    const { configuration } = this.#deps;
    if (changes.length === 0) return configuration.snapshot.resources;
    return this.#after(await configuration.changeAll(changes, { dryRun: true }));
  }

  /** Throws `rate_limited` when too many others run. */
  async run(
    proposed: Resources,
    days: number,
    told?: (progress: Progress) => void,
    signal?: AbortSignal,
    limits: { readonly newest?: number; readonly releases?: number } = {},
  ): Promise<Simulated> {
    if (this.#running >= MOST_RUNNING)
      throw new Fault('rate_limited', 'Other simulations are running: ask again.', { details: { retryAfter: 5 } });
    this.#running += 1;
    try {
      const { configuration, ledger, journal, formats } = this.#deps;
      await journal.drain();
      const now = this.#deps.now();
      const question = {
        current: policyOf(rulesOf(configuration.snapshot.resources)),
        proposed: policyOf(rulesOf(proposed)),
        declared: configuration.served,
        since: now - days * DAY,
        // What was pulled just now was pulled before that.
        now: now + 1,
        ...limits,
      };
      return await new Simulation({ ledger, formats }, question).run(told, signal);
    } finally {
      this.#running -= 1;
    }
  }

  /** What a dry run of these changes has to say; nothing where they are not about policy. */
  async warnings(outcomes: readonly Outcome[]): Promise<readonly string[]> {
    if (!outcomes.some(({ changed, row }) => changed && POLICY_KINDS.has(row.kind))) return [];
    const { days, ms, ...limits } = GLANCE;
    try {
      const found = await this.run(this.#after(outcomes), days, undefined, AbortSignal.timeout(ms), limits);
      return sentences(found, days);
    } catch (error) {
      // What cannot be told does not stop the change.
      const known = error instanceof Fault || error instanceof LedgerError || (error as Error).name === 'TimeoutError';
      if (!known) throw error;
      return ['what it would have done to recorded pulls could not be found out in time: POST /api/v2/simulate does'];
    }
  }

  #after(outcomes: readonly Outcome[]): Resources {
    const after = new Map<string, ResourceRow>(this.#deps.configuration.snapshot.resources);
    for (const { change, row } of outcomes) {
      if (change.op === 'put') after.set(keyOf(change), row);
      else after.delete(keyOf(change));
    }
    return after;
  }
}

/** The fields of a change are told under the place that it has in the request. */
export function placed(fault: Fault, places: readonly FieldError['path'][]): Fault {
  const { errors } = fault.details;
  const [only, other] = places;
  const at = (path: FieldError['path']): FieldError['path'] => {
    if (only && !other) return [...only, ...(path.length > 0 ? ['spec', ...path] : [])];
    const [position, ...rest] = path;
    return [...(places[Number(position)] ?? []), ...rest];
  };
  const found = errors?.map(({ path, message }) => ({ path: at(path), message }));
  const details = { ...fault.details, ...(found === undefined ? {} : { errors: found }) };
  return new Fault(fault.code, fault.message, { cause: fault, details });
}

function rulesOf(resources: Resources): readonly ResourceRow[] {
  return [...resources.values()].filter(({ kind }) => POLICY_KINDS.has(kind));
}

function sentences({ refused, admitted, released, truncated, pulls }: Simulated, days: number): readonly string[] {
  const span = truncated ? `of the newest ${pulls} pulls` : `in the last ${days} days`;
  return [
    ...(refused.pulls > 0 ? [`would have refused ${counts(refused)} ${span}`] : []),
    ...(admitted.pulls > 0 ? [`would have admitted ${counts(admitted)} ${span} that the rules of now refuse`] : []),
    ...(released.versions > 0 ? [`would release ${many(released.versions, 'held version')} now`] : []),
  ];
}

function counts({ pulls, packages, consumers }: Tallied): string {
  return `${many(pulls, 'pull')} of ${many(packages, 'package')} by ${many(consumers, 'consumer')}`;
}

function many(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
