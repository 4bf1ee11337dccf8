import type { AnyFormat } from '../../engine/format.ts';
import { releaseUrl } from '../../engine/purl.ts';
import type { KnownRelease, Ledger } from '../../ledger/ledger.ts';
import { decide } from '../../policy/decide.ts';
import type { Candidate } from '../../policy/decision.ts';
import type { PackageParts } from '../../policy/package-key.ts';
import type { Policy } from '../../policy/policy.ts';
import { evidenceOf } from './evidence.ts';
import type { Scopes } from './scopes.ts';
import { MOST_TOLD } from './tally.ts';

export interface Released {
  readonly versions: number;
  readonly packages: number;
  readonly items: readonly { readonly purl: string; readonly repository: string; readonly rule: string }[];
}

interface Package {
  readonly format: AnyFormat;
  readonly member: string;
  /** As the format has it. */
  readonly name: string;
  readonly package: PackageParts;
}

/** Packages looked up at once. */
const BATCH = 50;

/** Of the packages that were pulled: which versions are withheld now, and would not be. */
export class Held {
  readonly #packages = new Map<string, Package>();
  readonly #ledger: Pick<Ledger, 'knownReleases'>;
  readonly #question: {
    readonly current: Policy;
    readonly proposed: Policy;
    readonly now: number;
    readonly releases?: number;
  };
  readonly #scopes: Scopes;
  readonly #breathe: () => Promise<void>;
  #looked = 0;
  #isTruncated = false;

  constructor(
    ledger: Pick<Ledger, 'knownReleases'>,
    question: { readonly current: Policy; readonly proposed: Policy; readonly now: number; readonly releases?: number },
    scopes: Scopes,
    breathe: () => Promise<void>,
  ) {
    this.#ledger = ledger;
    this.#question = question;
    this.#scopes = scopes;
    this.#breathe = breathe;
  }

  noticed(one: Package): void {
    const key = `${one.member}\0${one.name}`;
    if (!this.#packages.has(key)) this.#packages.set(key, one);
  }

  /** There were more than were looked at. */
  get isTruncated(): boolean {
    return this.#isTruncated;
  }

  async released(signal: AbortSignal | undefined): Promise<Released> {
    const items: Released['items'][number][] = [];
    const packages = new Set<string>();
    let versions = 0;
    for await (const { member, name, ...item } of this.#all(signal)) {
      versions += 1;
      packages.add(`${member}\0${name}`);
      if (items.length < MOST_TOLD) items.push({ ...item, repository: member });
    }
    return { versions, packages: packages.size, items };
  }

  async *#all(signal: AbortSignal | undefined) {
    for (const [member, all] of Map.groupBy(this.#packages.values(), ({ member }) => member)) {
      for (let from = 0; from < all.length && !this.#isTruncated; from += BATCH) {
        signal?.throwIfAborted();
        const some = new Map(all.slice(from, from + BATCH).map((one) => [one.name, one]));
        for (const release of await this.#ledger.knownReleases(member, [...some.keys()])) {
          const { name, version } = release;
          const one = some.get(name);
          const rule = one && this.#judged(one, release);
          await this.#breathe();
          if (one && rule !== undefined) yield { member, name, purl: releaseUrl({ ...one.package, version }), rule };
        }
      }
    }
  }

  /** The rule that withholds it now and would not; undefined: nothing changes. */
  #judged({ format, member, name, package: parts }: Package, release: KnownRelease): string | undefined {
    const { current, proposed, now, releases = Number.POSITIVE_INFINITY } = this.#question;
    if (this.#looked >= releases) {
      this.#isTruncated = true;
      return undefined;
    }
    this.#looked += 1;
    const evidence = evidenceOf(undefined, release);
    // What is dated by its file is not known to be young before that is asked for.
    const isByFile = format.traits.evidence === 'last_modified' || format.traits.evidence === 'details';
    if (isByFile && !evidence.index) return undefined;
    const candidate: Candidate = {
      format: format.id,
      dated: format.traits.evidence,
      repositories: this.#scopes.everywhere(member),
      path: '',
      firstParty: this.#scopes.isFirstParty(member, name),
      package: { ...parts, version: release.version },
      ...(format.versions === undefined ? {} : { versions: format.versions }),
      evidence,
    };
    const is = decide(candidate, current, now);
    return is.allowed || !decide(candidate, proposed, now).allowed ? undefined : is.rule;
  }
}
