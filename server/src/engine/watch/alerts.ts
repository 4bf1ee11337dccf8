import type { Ledger } from '../../ledger/ledger.ts';
import type { Events } from '../events.ts';
import type { IndexTarget } from '../format.ts';
import { grownCache } from '../grown-cache.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { Listing } from '../source.ts';
import type { Findings } from './findings.ts';

/**
 * `claimed_name`: a member has a name that is claimed for others. `hosted_name`: a remote member has a name that is
 * published to a hosted one. `version_conflict`: two members have one release with different bytes.
 */
export type AlertKind = 'claimed_name' | 'hosted_name' | 'version_conflict';

export interface Alert {
  readonly kind: AlertKind;
  /** The virtual. */
  readonly repository: string;
  readonly member: string;
  readonly name: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface AlertDeps {
  readonly ledger: Pick<Ledger, 'raiseAlert' | 'endAlert'>;
  readonly events: Events;
  readonly metrics: Pick<Metrics, 'alert'>;
  readonly log: Log;
  readonly now: () => number;
}

/** What was put on record is not put there again for so long, in milliseconds: it may come with every answer. */
const SETTLED = 10 * 60_000;
const MOST = 20_000;

const SENTENCES: Readonly<Record<AlertKind, string>> = {
  claimed_name: 'a member offers a package under a name that is claimed for others',
  hosted_name: 'a remote member offers a package under a name that is published here',
  version_conflict: 'two members have one version of a package with different bytes; the first is served',
};

/** Tells people what they should look at, once for as long as it lasts. Nobody waits for it. */
export class Alerts {
  readonly #deps: AlertDeps;
  readonly #settled = grownCache<string>(MOST, { ttl: SETTLED });
  #last: Promise<unknown> = Promise.resolve();

  constructor(deps: AlertDeps) {
    this.#deps = deps;
  }

  raise(alert: Alert): void {
    const { kind, repository, member, name, details } = alert;
    const key = keyOf(alert);
    const said = JSON.stringify(details);
    if (this.#settled.get(key) === said) return;
    this.#settled.set(key, said);
    this.#inTurn(key, async () => {
      const { ledger, events, metrics, log, now } = this.#deps;
      const at = now();
      if (!(await ledger.raiseAlert({ ...alert, at }))) return;
      metrics.alert(kind);
      log.warn(SENTENCES[kind], { repository, member, name, ...details });
      events.emit({ kind: 'alert', at, repository, details: { alert: kind, member, name, ...details } });
    });
  }

  end(alert: Omit<Alert, 'details'>): void {
    const key = keyOf(alert);
    this.#settled.delete(key);
    this.#inTurn(key, () => this.#deps.ledger.endAlert(alert, this.#deps.now()));
  }

  /** What an answer of `repository` was made of, and showed. */
  found(repository: string, findings: Findings, { name }: IndexTarget, { members }: Listing): void {
    const memberAt = (at: number): string => members[at]?.repository ?? '';
    for (const { name: foreign, member, virtual, rule } of findings.foreign)
      this.raise({
        kind: 'claimed_name',
        repository: virtual,
        member: memberAt(member),
        name: foreign,
        details: { rule, seen: 'in its list of packages' },
      });
    if (name !== undefined)
      for (const member of sharedBy(members))
        this.raise({ kind: 'hosted_name', repository, member, name, details: { seen: 'in a merged index' } });
    const byPair = Map.groupBy(findings.conflicts, (one) => JSON.stringify([one.members, one.name]));
    for (const [first, ...others] of byPair.values()) {
      if (!first) continue;
      const [served, other] = first.members;
      const versions = [first, ...others].map(({ version, path, digests }) => ({ version, path, digests }));
      this.raise({
        kind: 'version_conflict',
        repository,
        member: memberAt(other),
        name: name ?? first.name,
        details: { served: memberAt(served), versions },
      });
    }
  }

  /** When what was raised so far is on record. */
  async settled(): Promise<void> {
    await this.#last;
  }

  /** In their order; what cannot be put on record is said again later. */
  #inTurn(key: string, work: () => Promise<void>): void {
    this.#last = this.#last.then(work).catch((error: unknown) => {
      this.#settled.delete(key);
      this.#deps.log.warn('an alert could not be put on record', { error });
    });
  }
}

/** Those that are not one's own beside one that is, in an index made of both. */
function sharedBy(members: Listing['members']): readonly string[] {
  if (!members.some(({ firstParty }) => firstParty)) return [];
  return members.flatMap(({ firstParty, repository }) => (firstParty ? [] : [repository]));
}

function keyOf({ kind, repository, member, name }: Omit<Alert, 'details'>): string {
  return [kind, repository, member, name].join('\0');
}
