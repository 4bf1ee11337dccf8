import { setImmediate as turn } from 'node:timers/promises';
import { PackageURL } from '@socketregistry/packageurl-js';
import type { DeclaredRepository } from '../../engine/declared.ts';
import type { AnyFormat } from '../../engine/format.ts';
import { releaseUrl } from '../../engine/purl.ts';
import type { Ledger, PullGroup, PullSlice } from '../../ledger/ledger.ts';
import { pullsOf } from '../../ledger/pulls-of.ts';
import type { Candidate, Refused } from '../../policy/decision.ts';
import type { Policy } from '../../policy/policy.ts';
import { type Facts, factsOf, type Pulled } from './evidence.ts';
import { Held, type Released } from './held.ts';
import { Scopes } from './scopes.ts';
import { Standing } from './standing.ts';
import { type Tallied, Tally } from './tally.ts';

export type SimulatedLedger = Pick<Ledger, 'pullsSince' | 'pullSlice' | 'fileFacts' | 'releaseFacts' | 'knownReleases'>;

export interface SimulationDeps {
  readonly ledger: SimulatedLedger;
  readonly formats: ReadonlyMap<string, AnyFormat>;
}

export interface Question {
  readonly current: Policy;
  readonly proposed: Policy;
  readonly declared: readonly DeclaredRepository[];
  /** Epoch milliseconds. */
  readonly since: number;
  readonly now: number;
  /** Only so many pulls, the newest; and so many releases that might be held. */
  readonly newest?: number;
  readonly releases?: number;
}

export interface Simulated {
  /** RFC 3339: of the first pull that was looked at, or earlier. */
  readonly since: string;
  readonly until: string;
  readonly pulls: number;
  /** There were more pulls or releases than were looked at. */
  readonly truncated: boolean;
  /** What is refused then and is not now. */
  readonly refused: Tallied;
  /** What is refused now and is not then. */
  readonly admitted: Tallied;
  readonly released: Released;
}

export interface Progress {
  readonly pulls: number;
  readonly of: number;
}

const SLICE = 10_000;
/** Files looked up at once. */
const BATCH = 500;
/** Milliseconds without a pause for others. */
const BREATH = 5;

/** A file, asked for through one repository. */
interface Subject {
  readonly candidate: Candidate;
  readonly what: string;
  readonly package: string;
  readonly current: Standing;
  readonly proposed: Standing;
}

/**
 * Recorded pulls judged again, by the policy that is and by one that might be, each as of its own time. A file is judged
 * once for as long as a decision holds, not once for every pull.
 */
export class Simulation {
  readonly #deps: SimulationDeps;
  readonly #question: Question;
  readonly #scopes: Scopes;
  readonly #subjects = new Map<string, Subject>();
  readonly #held: Held;
  readonly #refused = new Tally();
  readonly #admitted = new Tally();
  #breathed = performance.now();

  constructor(deps: SimulationDeps, question: Question) {
    this.#deps = deps;
    this.#question = question;
    this.#scopes = new Scopes(question.declared, deps.formats);
    this.#held = new Held(deps.ledger, question, this.#scopes, () => this.#breathe());
  }

  /** Throws the reason of `signal` when it aborts. */
  async run(told: (progress: Progress) => void = () => {}, signal?: AbortSignal): Promise<Simulated> {
    const { ledger } = this.#deps;
    const { now, since, newest = Number.MAX_SAFE_INTEGER } = this.#question;
    const there = await ledger.pullsSince(since, newest);
    let [looked, pulls] = [0, 0];
    for await (const groups of this.#slices(there.since, now)) {
      signal?.throwIfAborted();
      await this.#meet(groups);
      for (const group of groups) {
        looked += group.pulls;
        // A list of which nothing was left says which package was wanted, and is no pull.
        if (group.role !== 'index') {
          this.#judge(group);
          pulls += group.pulls;
        }
        await this.#breathe();
      }
      told({ pulls: looked, of: there.count });
    }
    const released = await this.#held.released(signal);
    return {
      since: new Date(there.since).toISOString(),
      until: new Date(now).toISOString(),
      pulls,
      truncated: there.since > since || this.#held.isTruncated,
      refused: this.#refused.told,
      admitted: this.#admitted.told,
      released,
    };
  }

  /** The next is read while one is judged. */
  async *#slices(since: number, until: number): AsyncIterable<readonly PullGroup[]> {
    const { ledger } = this.#deps;
    let next: Promise<PullSlice> | undefined = ledger.pullSlice(since, until, SLICE);
    while (next) {
      const { groups, end }: PullSlice = await next;
      next = end < until ? ledger.pullSlice(end, until, SLICE) : undefined;
      // Where this one fails nobody waits for it.
      next?.catch(() => {});
      yield groups;
    }
  }

  /** Looks up what is not known yet of these files. */
  async #meet(groups: readonly PullGroup[]): Promise<void> {
    const unknown = new Map(groups.map((group) => [keyOf(group), group] as const));
    for (const key of unknown.keys()) if (this.#subjects.has(key)) unknown.delete(key);
    const byMember = Map.groupBy(unknown.values(), memberOf);
    for (const [member, files] of byMember) {
      for (let from = 0; from < files.length; from += BATCH) {
        const pulled = files.slice(from, from + BATCH).flatMap((group) => this.#pulled(group));
        const facts = await factsOf(this.#deps.ledger, member, pulled);
        for (const [at, file] of pulled.entries()) {
          this.#subjects.set(keyOf(file.group), this.#subject(file, facts[at] as Facts));
          await this.#breathe();
        }
      }
    }
  }

  /** Nothing of what this version has no format for. */
  #pulled(group: PullGroup): readonly (Pulled & { readonly group: PullGroup })[] {
    const format = this.#deps.formats.get(group.format);
    return format ? [{ ...group, format, member: memberOf(group), group }] : [];
  }

  #subject({ group, format, member, ...file }: Pulled & { readonly group: PullGroup }, facts: Facts): Subject {
    const { current, proposed } = this.#question;
    const { type = '', namespace, name = '' } = file.package === undefined ? {} : PackageURL.fromString(file.package);
    const parts = { type, name, ...(namespace ? { namespace } : {}), version: file.version };
    if (facts.name !== undefined && file.package !== undefined)
      this.#held.noticed({ format, member, name: facts.name, package: parts });
    return {
      candidate: {
        format: format.id,
        dated: format.traits.evidence,
        repositories: this.#scopes.through(group.repository, member),
        path: file.path,
        firstParty: this.#scopes.isFirstParty(member, facts.name),
        ...(file.package === undefined ? {} : { package: parts }),
        ...(format.versions === undefined ? {} : { versions: format.versions }),
        evidence: facts.evidence,
      },
      what: file.package === undefined ? `${member}/${file.path}` : releaseUrl(parts),
      package: file.package ?? `${member}/${file.path}`,
      current: new Standing(current),
      proposed: new Standing(proposed),
    };
  }

  #judge(group: PullGroup): void {
    const subject = this.#subjects.get(keyOf(group));
    if (!subject || isPart(subject)) return;
    const { candidate, current, proposed } = subject;
    const [first, last] = [timeOf(subject, group.first), timeOf(subject, group.last)];
    const isSame = !differ(current.at(candidate, first), proposed.at(candidate, first));
    if (isSame && current.holds(last) && proposed.holds(last)) return;
    for (const pull of [...pullsOf(group)].sort((one, other) => one.at - other.at)) {
      const time = timeOf(subject, pull.at);
      const [is, would] = [current.at(candidate, time), proposed.at(candidate, time)];
      const refused = is ?? would;
      if (refused && differ(is, would)) (is ? this.#admitted : this.#refused).add({ ...subject, ...pull, refused });
    }
  }

  async #breathe(): Promise<void> {
    if (performance.now() - this.#breathed < BREATH) return;
    await turn();
    this.#breathed = performance.now();
  }
}

/** A clock that jumped, or a listing that was read while the file was asked for: nothing is pulled before it is seen. */
function timeOf({ candidate: { evidence } }: Subject, at: number): number {
  return Math.max(at, evidence.firstSeen?.at ?? at);
}

/** What only releases name by its bytes, as layers of an image are: it is decided with them. */
function isPart({ candidate: { dated, package: of } }: Subject): boolean {
  return dated === 'none' && of !== undefined && of.version === undefined;
}

function keyOf({ repository, member, package: of, version, path }: PullGroup): string {
  return [repository, member, of, version, path].join('\0');
}

function memberOf({ repository, member = repository }: PullGroup): string {
  return member;
}

function differ(is: Refused | undefined, would: Refused | undefined): boolean {
  return (is === undefined) !== (would === undefined);
}
