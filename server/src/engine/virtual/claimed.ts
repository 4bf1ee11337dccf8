import { Fault } from '../fault.ts';
import type { AnyFormat, ArtifactTarget, Body, CallTarget, IndexTarget, Target } from '../format.ts';
import type { Ask, Delivery, Listing, Source } from '../source.ts';
import { understood } from '../understood.ts';
import type { Claim, Claims } from './claims.ts';

/**
 * A remote or hosted repository that is asked for nothing that is claimed for others. It stands next to the repository, so
 * that whatever leads there (a virtual, one inside another, an alias, its own address) leads here first, and no name of
 * somebody else leaves this server.
 */
export class ClaimedSource implements Source {
  readonly #inner: Source;
  readonly #name: string;
  readonly #format: AnyFormat;
  readonly #claims: Claims;

  constructor(inner: Source, name: string, format: AnyFormat, claims: Claims) {
    this.#inner = inner;
    this.#name = name;
    this.#format = format;
    this.#claims = claims;
  }

  async index(target: IndexTarget, ask: Ask): Promise<Listing> {
    requireOwn(this.#claims, this.#name, namesIn(this.#format, target));
    const listing = await this.#inner.index(target, ask);
    const foreign = target.name === undefined ? this.#claims.foreignTo(this.#name) : [];
    const isOwn = this.#isOwn(target.name);
    if (!isOwn && foreign.length === 0) return listing;
    return {
      ...listing,
      members: listing.members.map((member) => ({
        ...member,
        ...(isOwn ? { firstParty: true } : {}),
        ...(foreign.length === 0 ? {} : { foreign }),
      })),
    };
  }

  async artifact(target: ArtifactTarget, ask: Ask): Promise<Delivery> {
    requireOwn(this.#claims, this.#name, namesIn(this.#format, target));
    const delivery = await this.#inner.artifact(target, ask);
    const { name } = delivery.file;
    if (name !== undefined) requireOwn(this.#claims, this.#name, [name]);
    return this.#isOwn(name ?? target.name) ? { ...delivery, firstParty: true } : delivery;
  }

  /** A call of several packages is made without those of others, where the protocol can leave them out. */
  async call(target: CallTarget, ask: Ask): Promise<Body> {
    if (target.answer) return this.#inner.call(target, ask);
    const isForeign = (name: string) => this.#claims.against(this.#name, name).length > 0;
    const names = namesIn(this.#format, target).filter(isForeign);
    if (names.length === 0) return this.#inner.call(target, ask);
    const rest = understood(() => this.#format.without?.(target, isForeign));
    if (!rest) requireOwn(this.#claims, this.#name, names);
    return this.#inner.call(rest ?? target, ask);
  }

  #isOwn(name: string | undefined): boolean {
    return name !== undefined && this.#claims.isOwn(this.#name, name);
  }
}

/** The names that a request says: of its package, and of those that it speaks of; a path, where files are of no package. Throws `invalid`. */
export function namesIn(format: AnyFormat, target: Target): readonly string[] {
  const own = 'name' in target && target.name !== undefined ? [target.name] : [];
  const isOfPaths = target.kind !== 'call' && format.roster('a').length === 0;
  return [...own, ...understood(() => format.mentions?.(target) ?? []), ...(isOfPaths ? [target.path] : [])];
}

/** Throws `withheld` for a name that is another's. */
export function requireOwn(claims: Claims, repository: string, names: readonly string[]): void {
  for (const name of names) {
    const against = claims.against(repository, name);
    if (against.length > 0) throw new ForeignFault(repository, name, against);
  }
}

/** What a repository answers for a name that is claimed for others. */
export class ForeignFault extends Fault {
  constructor(
    repository: string,
    name: string,
    readonly claims: readonly Claim[],
  ) {
    const [first] = claims as readonly [Claim, ...Claim[]];
    super('withheld', `${name} is not asked of "${repository}": ${ownership(first)}.`, {
      details: { rule: first.rule, package: name, repository, owners: first.owners },
    });
  }
}

/** `the claims of the virtual "npm" (@acme/*) give it to "npm-private"` */
function ownership({ rule, pattern, owners }: Claim): string {
  const [, kind, name] = /^([^/]+)\/(.+)\.claims$/.exec(rule) ?? [];
  const whose = owners.length === 0 ? 'none of its members' : owners.map((owner) => `"${owner}"`).join(' and ');
  return `the claims of the ${kind} "${name}" (${pattern}) give it to ${whose}`;
}

/** The claims by which a member was not asked, however the fault was passed on; undefined: that is not what went wrong. */
export function claimsAgainst(error: unknown): readonly Claim[] | undefined {
  for (let cause = error; cause instanceof Fault; cause = cause.cause)
    if (cause instanceof ForeignFault) return cause.claims;
  return undefined;
}
