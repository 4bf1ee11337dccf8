import type { Ledger } from '../../ledger/ledger.ts';
import { Fault } from '../fault.ts';
import type { AnyFormat } from '../format.ts';
import type { Log } from '../log.ts';
import type { Source } from '../source.ts';
import type { Claims } from '../virtual/claims.ts';
import type { Alerts } from './alerts.ts';

/** A virtual, and those in it at whatever depth. */
export interface Watched {
  readonly name: string;
  readonly format: AnyFormat;
  /** Whether remotes are asked; else only what they have on record is looked at. */
  readonly asks: boolean;
  readonly hosted: readonly string[];
  readonly remotes: readonly { readonly name: string; readonly source: Source }[];
}

export interface WatchDeps {
  readonly ledger: Pick<Ledger, 'hostedNames' | 'packageNames' | 'seen'>;
  readonly alerts: Alerts;
  readonly log: Log;
  readonly now: () => number;
  /** At least 0, less than 1. */
  readonly random: () => number;
}

interface Due {
  readonly watched: Watched;
  readonly remote: Watched['remotes'][number];
  readonly name: string;
  at: number;
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** After a publication, at most. */
const SOON = MINUTE;
/** After an outage. */
const LATER = 60 * MINUTE;
/** How often it is read which names are published here. */
const REVIEW = 60 * MINUTE;
/** Of one turn, and side by side. */
const MOST = 40;
const WIDTH = 2;
/** Names that are watched at all; those of a large installation that are beyond it are looked at when published. */
const MOST_WATCHED = 200_000;
const PAGE = 1000;

/**
 * Looks for public packages under private names. Claimed names are never asked of others, so of those only what is on
 * record is looked at; a name that is published here and that nobody claims is asked of the remote members about once a day.
 */
export class Watch {
  readonly #deps: WatchDeps;
  #watched: readonly Watched[] = [];
  #claims: Claims | undefined;
  /** Claims by whose light what is on record was looked at. */
  #lookedBy: string | undefined;
  #reviewAt = 0;
  #due = new Map<string, Due>();
  readonly #published: { readonly hosted: string; readonly name: string }[] = [];
  #turn: Promise<void> | undefined;

  constructor(deps: WatchDeps) {
    this.#deps = deps;
  }

  configure(watched: readonly Watched[], claims: Claims): void {
    this.#watched = watched;
    this.#claims = claims;
    this.#reviewAt = 0;
    if (watched.some(({ hosted, remotes }) => hosted.length + remotes.length > 1)) void this.turn();
  }

  published(hosted: string, name: string): void {
    this.#published.push({ hosted, name });
    void this.turn();
  }

  /** Does what is due, after what is under way. Never rejects. */
  turn(): Promise<void> {
    const turn = (this.#turn ?? Promise.resolve())
      .then(() => this.#work())
      .catch((error: unknown) => this.#deps.log.warn('names could not be watched', { error }))
      .finally(() => {
        if (this.#turn === turn) this.#turn = undefined;
      });
    this.#turn = turn;
    return turn;
  }

  /** When nothing is under way. */
  async idle(): Promise<void> {
    await this.#turn;
  }

  async #work(): Promise<void> {
    const claims = this.#claims;
    if (!claims) return;
    const now = this.#deps.now();
    for (const { hosted, name } of this.#published.splice(0)) await this.#lookAtPublished(hosted, name, now);
    if (this.#lookedBy !== claims.id) {
      for (const watched of this.#watched) await this.#lookAtRecord(watched, claims);
      this.#lookedBy = claims.id;
    }
    if (now >= this.#reviewAt) {
      this.#reviewAt = now + REVIEW;
      await this.#review(now);
    }
    const due = [...this.#due.values()].filter(({ at }) => at <= now).slice(0, MOST);
    for (let start = 0; start < due.length; start += WIDTH)
      await Promise.all(due.slice(start, start + WIDTH).map((one) => this.#ask(one)));
  }

  /** What a remote already has on record under a name that is claimed for others. */
  async #lookAtRecord({ name: repository, remotes }: Watched, claims: Claims): Promise<void> {
    for (const { name: member } of remotes) {
      if (claims.foreignTo(member).every(({ virtual }) => virtual !== repository)) continue;
      for (let after: string | undefined; ; ) {
        const page = { limit: PAGE, ...(after === undefined ? {} : { after }) };
        const names = await this.#deps.ledger.packageNames(member, page);
        for (const name of names) this.#raiseClaimed(repository, member, name, claims);
        after = names.at(-1);
        if (names.length < PAGE) break;
      }
    }
  }

  #raiseClaimed(repository: string, member: string, name: string, claims: Claims): boolean {
    const claim = claims.against(member, name).find(({ virtual }) => virtual === repository);
    if (!claim) return false;
    const details = { rule: claim.rule, owners: claim.owners, seen: 'on record' };
    this.#deps.alerts.raise({ kind: 'claimed_name', repository, member, name, details });
    return true;
  }

  async #lookAtPublished(hosted: string, name: string, now: number): Promise<void> {
    for (const watched of this.#watched.filter((one) => one.hosted.includes(hosted))) {
      for (const remote of watched.remotes) {
        const claims = this.#claims;
        const isOnRecord = (await this.#deps.ledger.seen(remote.name, name)).length > 0;
        if (isOnRecord && claims && !this.#raiseClaimed(watched.name, remote.name, name, claims))
          this.#raiseHosted(watched.name, remote.name, name, 'on record');
        if (watched.asks && this.#mayAsk(remote.name, name))
          this.#schedule(watched, remote, name, now + SOON * this.#deps.random(), true);
      }
    }
  }

  /** Those not known yet are asked at some time of the day that follows, so that a start asks nobody for all at once. */
  async #review(now: number): Promise<void> {
    const before = this.#due;
    this.#due = new Map();
    for (const watched of this.#watched.filter(({ asks, remotes }) => asks && remotes.length > 0)) {
      for (const name of await this.#publishedIn(watched)) {
        for (const remote of watched.remotes.filter((one) => this.#mayAsk(one.name, name))) {
          const known = before.get(keyOf(watched, remote, name));
          this.#schedule(watched, remote, name, known?.at ?? now + DAY * this.#deps.random());
        }
      }
    }
  }

  async #publishedIn({ hosted }: Watched): Promise<ReadonlySet<string>> {
    const names = new Set<string>();
    for (const one of hosted) for (const name of await this.#deps.ledger.hostedNames(one)) names.add(name);
    return names;
  }

  /** What is claimed for others must not be asked, and what is the remote's own need not be. */
  #mayAsk(remote: string, name: string): boolean {
    const claims = this.#claims;
    return claims !== undefined && claims.against(remote, name).length === 0 && !claims.isOwn(remote, name);
  }

  #schedule(watched: Watched, remote: Due['remote'], name: string, at: number, isNews = false): void {
    const key = keyOf(watched, remote, name);
    if (this.#due.size >= MOST_WATCHED && !this.#due.has(key) && !isNews) return;
    this.#due.set(key, { watched, remote, name, at });
  }

  async #ask(due: Due): Promise<void> {
    const { watched, remote, name } = due;
    const { now, random, alerts } = this.#deps;
    const has = this.#mayAsk(remote.name, name) ? await this.#has(watched.format, remote.source, name) : false;
    due.at = now() + (has === undefined ? LATER : DAY * (0.9 + 0.2 * random()));
    if (has) this.#raiseHosted(watched.name, remote.name, name, 'its upstream answered');
    else if (has === false) alerts.end({ kind: 'hosted_name', repository: watched.name, member: remote.name, name });
  }

  #raiseHosted(repository: string, member: string, name: string, seen: string): void {
    this.#deps.alerts.raise({ kind: 'hosted_name', repository, member, name, details: { seen } });
  }

  /** Undefined: it cannot be told. */
  async #has(format: AnyFormat, source: Source, name: string): Promise<boolean | undefined> {
    const ask = { now: this.#deps.now(), requestId: 'watch', principal: 'watch' };
    for (const roster of format.roster(name)) {
      try {
        await source.index(roster, ask);
        return true;
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        if (error.code === 'withheld') return true;
        if (error.code !== 'not_found') return undefined;
      }
    }
    return false;
  }
}

function keyOf({ name: virtual }: Watched, { name: remote }: Due['remote'], name: string): string {
  return [virtual, remote, name].join('\0');
}
