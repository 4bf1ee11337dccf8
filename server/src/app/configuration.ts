import type { Events } from '../engine/events.ts';
import { Fault } from '../engine/fault.ts';
import type { RepositoryKind } from '../engine/format.ts';
import type { Log } from '../engine/log.ts';
import type { PolicyRevision } from '../engine/source.ts';
import { noteChange } from '../engine/trail.ts';
import {
  type Ledger,
  LedgerError,
  type ManagedBy,
  type ResourceChange,
  type ResourceRow,
  RevisionConflict,
} from '../ledger/ledger.ts';
import { effective, validate } from '../schema/schema.ts';
import { type Change, keyOf, type Outcome, REPOSITORY_KINDS, type Resources } from './change.ts';
import { inOrder } from './order.ts';
import { type Planned, plan } from './plan.ts';
import { policyRevision } from './policy.ts';
import { membersFirst } from './references.ts';
import { RememberedOutcomes } from './remembered-outcomes.ts';

/** The declared resources at one moment. Never changed, only replaced whole. */
export interface Snapshot {
  /** Grows with every change of any resource, also with a deletion. */
  readonly revision: number;
  readonly resources: Resources;
}

/** A repository as the engine takes it: the spec with its defaults. */
export interface ServedRepository {
  readonly kind: RepositoryKind;
  readonly name: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

export interface ConfigurationDeps {
  readonly ledger: Pick<Ledger, 'resources' | 'change' | 'marks'>;
  /** Serves from now on what is declared now; members come before what has them. `isOurs`: it was changed here. */
  readonly serve: (
    repositories: readonly ServedRepository[],
    policy: PolicyRevision | undefined,
    isOurs: boolean,
  ) => void;
  /** Told of the revision that a change made here led to. */
  readonly changed?: (revision: number) => void;
  readonly events: Events;
  readonly log: Log;
  readonly now: () => number;
}

export interface ApplyOptions {
  /** Says what would be, changes nothing. */
  readonly dryRun?: boolean;
  readonly managedBy?: ManagedBy;
}

/** Of one change where each stands for itself. */
export type Attempt = Outcome | { readonly change: Change; readonly fault: Fault };

/**
 * Owns what is declared. Changes are made one after the other: judged against the current snapshot, then written to the
 * ledger in one transaction that also checks the revisions they were judged by, then served.
 */
export class Configuration {
  readonly #deps: ConfigurationDeps;
  readonly #remembered: RememberedOutcomes;
  #snapshot: Snapshot = { revision: 0, resources: new Map() };
  #policy: PolicyRevision | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** Reads what is declared and has it served. */
  static async open(deps: ConfigurationDeps): Promise<Configuration> {
    const configuration = new Configuration(deps);
    await configuration.#reload(false);
    return configuration;
  }

  private constructor(deps: ConfigurationDeps) {
    this.#deps = deps;
    this.#remembered = new RememberedOutcomes(deps.now);
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** The repositories of now as the engine has them; members come before what has them. */
  get served(): readonly ServedRepository[] {
    return membersFirst(this.#snapshot.resources).flatMap((row) => this.#served(row));
  }

  /** The declared resource; one that only serves until its last user goes counts as gone. */
  resource(kind: string, name: string): ResourceRow | undefined {
    const row = this.#snapshot.resources.get(keyOf({ kind, name }));
    return row?.retiring ? undefined : row;
  }

  /** Serves what other processes declared, where the ledger is at another revision than what is served. */
  async refresh(revision: number): Promise<void> {
    if (revision === this.#snapshot.revision) return;
    await this.#alone(async () => {
      if (revision !== this.#snapshot.revision) await this.#reload(false);
    });
  }

  async change(change: Change, options: ApplyOptions = {}): Promise<Outcome> {
    const [outcome] = await this.changeAll([change], options);
    return outcome as Outcome;
  }

  /** All or nothing. Outcomes in the order of the changes. Throws `Fault`. */
  changeAll(changes: readonly Change[], options: ApplyOptions = {}): Promise<readonly Outcome[]> {
    return this.#alone(() => this.#together(changes, options));
  }

  /** Each by itself, in an order in which they can succeed. Attempts in the order of the changes. */
  changeEach(changes: readonly Change[], options: ApplyOptions = {}): Promise<readonly Attempt[]> {
    return this.#alone(async () => {
      const attempts = new Map<Change, Attempt>();
      for (const change of inOrder(changes, this.#snapshot.resources))
        attempts.set(change, await this.#attempt(change, options));
      return changes.map((change) => attempts.get(change) as Attempt);
    });
  }

  async #attempt(change: Change, options: ApplyOptions): Promise<Attempt> {
    try {
      const [outcome] = await this.#together([change], options);
      return outcome as Outcome;
    } catch (error) {
      if (error instanceof Fault) return { change, fault: error };
      throw error;
    }
  }

  async #together(changes: readonly Change[], options: ApplyOptions): Promise<readonly Outcome[]> {
    const known = new Map(
      changes.flatMap((change) => {
        const outcome = this.#remembered.of(change);
        return outcome ? [[change, outcome] as const] : [];
      }),
    );
    const fresh = changes.filter((change) => !known.has(change));
    const planned = plan(this.#snapshot.resources, fresh, options.managedBy ?? 'api', this.#deps.now());
    const written = options.dryRun ? planned.resources : await this.#write(planned);
    for (const outcome of planned.outcomes) {
      const made = { ...outcome, row: written.get(keyOf(outcome.change)) ?? outcome.row };
      known.set(outcome.change, made);
      if (!options.dryRun) this.#remembered.keep(made);
    }
    return changes.map((change) => known.get(change) as Outcome);
  }

  async #write({ changes, resources }: Planned): Promise<Resources> {
    if (changes.length === 0) return resources;
    const rows = await this.#changed(changes);
    const next = new Map(resources);
    for (const row of rows) next.set(keyOf(row), row);
    for (const change of changes) this.#tell(change, next.get(keyOf(change))?.revision);
    const revision = this.#snapshot.revision + changes.length;
    if (await this.#wasAlone(revision)) this.#swap({ revision, resources: next }, true);
    else await this.#reload(true);
    this.#deps.changed?.(this.#snapshot.revision);
    return next;
  }

  /** Nobody else changed anything since the snapshot; a ledger that does not say is asked again by whoever looks after it. */
  async #wasAlone(revision: number): Promise<boolean> {
    const marks = await this.#deps.ledger.marks().catch(() => undefined);
    return marks === undefined || marks.revision === revision;
  }

  #tell({ op, kind, name }: ResourceChange, revision: number | undefined): void {
    const repository = REPOSITORY_KINDS.includes(kind) ? name : '';
    const details = { op, kind, name, ...(op === 'put' ? { revision } : {}) };
    noteChange(details);
    this.#deps.events.emit({ kind: 'changed', at: this.#deps.now(), repository, details });
  }

  async #changed(changes: readonly ResourceChange[]): Promise<readonly ResourceRow[]> {
    try {
      return await this.#deps.ledger.change(changes, this.#deps.now());
    } catch (error) {
      if (error instanceof LedgerError) {
        throw new Fault('unavailable', `nothing was changed: ${error.message}`, {
          cause: error,
          details: { retryAfter: 5 },
        });
      }
      if (!(error instanceof RevisionConflict)) throw error;
      // Another process shares this ledger and was faster.
      await this.#reload(false);
      throw new Fault('conflict', `${error.message}: it was changed meanwhile; read it again and decide anew`, {
        cause: error,
      });
    }
  }

  /** The revision first: what is declared while the rows are read is read again, never missed. */
  async #reload(isOurs: boolean): Promise<void> {
    const { revision } = await this.#deps.ledger.marks();
    const resources = new Map((await this.#deps.ledger.resources()).map((row) => [keyOf(row), row]));
    this.#swap({ revision: Math.max(highest(resources), revision), resources }, isOurs);
  }

  #swap(snapshot: Snapshot, isOurs: boolean): void {
    this.#snapshot = snapshot;
    this.#policy = policyRevision(snapshot.resources.values(), this.#policy);
    this.#deps.serve(this.served, this.#policy, isOurs);
  }

  /** What this version cannot serve (a format it does not have) stays declared and is left out. */
  #served(row: ResourceRow): ServedRepository[] {
    const { kind, name, spec } = row;
    if (kind !== 'remote' && kind !== 'hosted' && kind !== 'virtual') return [];
    try {
      validate(kind, spec);
      return [{ kind, name, spec: effective(kind, spec) }];
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.#deps.log.error(`${kind} "${name}" is not served: ${error.message}`);
      return [];
    }
  }

  #alone<Result>(step: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(step);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

function highest(resources: Resources): number {
  return Math.max(0, ...[...resources.values()].map(({ revision }) => revision));
}
