import { createHash } from 'node:crypto';
import type { RepositoryKind } from '../format.ts';
import { grownCache } from '../grown-cache.ts';
import { isClaimed, parseClaim } from './claim-pattern.ts';

/** What ownership of names follows from. */
export interface Claiming {
  readonly kind: RepositoryKind;
  readonly name: string;
  /** Type of the package URLs of its format. */
  readonly type: string;
  readonly members: readonly string[];
  /** As declared. */
  readonly claims: readonly string[];
}

/**
 * What of a remote or hosted repository is not its own by the claims in one virtual that it is in, at whatever depth:
 * names that match one of `claimed` and none of `owned`. Plain data, so that it can cross to a worker.
 */
export interface Foreign {
  readonly virtual: string;
  readonly type: string;
  readonly claimed: readonly Claimed[];
  readonly owned: readonly string[];
}

export interface Claimed {
  /** Where it is declared: `virtual/npm.claims`. */
  readonly rule: string;
  readonly pattern: string;
}

/** By which claim a name is others' in one virtual. */
export interface Claim extends Claimed {
  readonly virtual: string;
  /** Those that own it there, in its order; empty: none does. */
  readonly owners: readonly string[];
}

const MOST = 50_000;
const NONE: readonly Claim[] = [];

/**
 * Which names are whose, by what is claimed. In a virtual, what its own claims match belongs to its hosted members, also to
 * those inside virtuals that are its members, and to remotes that claim it themselves; what only some member claims belongs
 * to that member. Nobody else in the virtual is ever asked for it, wherever the request came in.
 */
export class Claims {
  /** Equal for configurations that own names alike; empty where nothing is claimed. */
  readonly id: string;
  readonly #all: ReadonlyMap<string, Claiming>;
  readonly #patterns: ReadonlyMap<string, readonly string[]>;
  readonly #foreign = new Map<string, readonly Foreign[]>();
  readonly #answers = grownCache<readonly Claim[]>(MOST);

  constructor(repositories: readonly Claiming[] = []) {
    this.#all = new Map(repositories.map((one) => [one.name, one]));
    this.#patterns = new Map(
      repositories.map(({ name, type, claims }) => [name, claims.map((claim) => parseClaim(claim, type))]),
    );
    const virtuals = repositories.filter(({ kind, name }) => kind === 'virtual' && this.#claimedIn(name).length > 0);
    for (const virtual of virtuals) {
      for (const leaf of this.#leavesOf(virtual.name)) {
        const { name, type } = virtual;
        const foreign = { virtual: name, type, claimed: this.#claimedIn(name), owned: this.#ownedBy(leaf, name) };
        this.#foreign.set(leaf, [...(this.#foreign.get(leaf) ?? []), foreign]);
      }
    }
    const said = [
      [...this.#foreign],
      repositories.map(({ name, claims }) => (claims.length > 0 ? [name, claims] : [])),
    ];
    const isAny = repositories.some(({ claims }) => claims.length > 0);
    this.id = isAny ? createHash('sha256').update(JSON.stringify(said)).digest('hex').slice(0, 16) : '';
  }

  /** What of the repository belongs to others. */
  foreignTo(repository: string): readonly Foreign[] {
    return this.#foreign.get(repository) ?? [];
  }

  /** Whose the name is in the virtuals where it is not the repository's; empty: it may be asked. */
  against(repository: string, name: string): readonly Claim[] {
    const foreign = this.#foreign.get(repository);
    if (!foreign) return NONE;
    const key = `${repository}\0${name}`;
    const known = this.#answers.get(key);
    if (known) return known;
    const claims = foreign.flatMap((one) => this.#claimIn(one, name));
    this.#answers.set(key, claims);
    return claims;
  }

  /** Whether the repository's own claims match the name: what it has of it is as good as published here. */
  isOwn(repository: string, name: string): boolean {
    const one = this.#all.get(repository);
    return one !== undefined && isClaimed(name, one.type, this.#patterns.get(repository) ?? []);
  }

  /** Remotes and hosted repositories in a virtual, in the order in which they are asked, each once. */
  #leavesOf(virtual: string, seen: Set<string> = new Set()): readonly string[] {
    if (seen.has(virtual)) return [];
    seen.add(virtual);
    return (this.#all.get(virtual)?.members ?? []).flatMap((member) => {
      const one = this.#all.get(member);
      if (one?.kind === 'virtual') return this.#leavesOf(member, seen);
      if (!one || seen.has(member)) return [];
      seen.add(member);
      return [member];
    });
  }

  /** Of the virtual and of everything in it. */
  #claimedIn(name: string, seen: Set<string> = new Set()): readonly Claimed[] {
    const one = this.#all.get(name);
    if (!one || seen.has(name)) return [];
    seen.add(name);
    const own = (this.#patterns.get(name) ?? []).map((pattern) => ({ rule: `${one.kind}/${name}.claims`, pattern }));
    return [...own, ...one.members.flatMap((member) => this.#claimedIn(member, seen))];
  }

  /** What a leaf owns in a virtual: a remote what it claims, a hosted one what any virtual on the way to it claims. */
  #ownedBy(leaf: string, virtual: string, seen: Set<string> = new Set()): readonly string[] {
    const one = this.#all.get(leaf);
    if (one?.kind === 'remote') return this.#patterns.get(leaf) ?? [];
    if (seen.has(virtual) || !this.#leavesOf(virtual).includes(leaf)) return [];
    seen.add(virtual);
    const below = (this.#all.get(virtual)?.members ?? []).flatMap((member) => this.#ownedBy(leaf, member, seen));
    return [...(this.#patterns.get(virtual) ?? []), ...below];
  }

  #claimIn(foreign: Foreign, name: string): readonly Claim[] {
    const by = claimOf(foreign, name);
    if (!by) return NONE;
    const { virtual } = foreign;
    const owners = this.#leavesOf(virtual).filter((leaf) =>
      this.foreignTo(leaf).every((one) => one.virtual !== virtual || !claimOf(one, name)),
    );
    return [{ ...by, virtual, owners }];
  }
}

/** The claim by which the name is another's; undefined: it is none's, or the repository's own. */
export function claimOf({ type, claimed, owned }: Foreign, name: string): Claimed | undefined {
  const by = claimed.find(({ pattern }) => isClaimed(name, type, [pattern]));
  return by && !isClaimed(name, type, owned) ? by : undefined;
}
