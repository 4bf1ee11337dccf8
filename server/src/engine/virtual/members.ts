import { Fault } from '../fault.ts';
import type { IndexTarget } from '../format.ts';
import type { Ask, CacheState, Delivery, Listing, Source } from '../source.ts';
import { claimsAgainst } from './claimed.ts';

export interface Member {
  readonly name: string;
  readonly source: Source;
  /** The repositories that it consists of, itself too; absent: itself alone. */
  readonly uses?: readonly string[];
}

/** The worst comes first: it is what the answer made of all of them is. */
const STATES: readonly CacheState[] = ['stale', 'miss', 'revalidated', 'hit'];

/** Seconds after which an outage may be over, where the upstream does not say. */
const PATIENCE = 5;

/** The repositories behind one URL, in the order in which they are asked. */
export class Members {
  constructor(
    readonly virtual: string,
    readonly list: readonly Member[],
  ) {}

  /** The one whose document named what is asked for, where that is known. */
  named({ member: asked }: Ask): Member | undefined {
    if (asked === undefined) return undefined;
    return this.list.find(({ name }) => name === asked) ?? this.list.find(({ uses }) => uses?.includes(asked) ?? false);
  }

  /** What the first has that has it. A member that cannot say stops the search. */
  async first<Found>(look: (member: Member) => Promise<Found>, what: string): Promise<Found> {
    let foreign: Fault | undefined;
    for (const member of this.list) {
      try {
        return await this.of(member, () => look(member));
      } catch (error) {
        if (!isAbsent(error)) throw error;
        foreign ??= foreignOf(error);
      }
    }
    throw this.none(what, foreign);
  }

  /** One listing of those of all that have it. */
  async all(look: (member: Member) => Promise<Listing | undefined>, what: string): Promise<Listing> {
    let foreign: Fault | undefined;
    const found = await Promise.all(
      this.list.map((member) =>
        this.of(member, () => look(member)).catch((error: unknown) => {
          if (!isAbsent(error)) throw error;
          foreign ??= foreignOf(error);
          return undefined;
        }),
      ),
    );
    const listings = found.filter((listing) => listing !== undefined);
    if (listings.length === 0) throw this.none(what, foreign);
    return {
      members: listings.flatMap(({ members }) => members),
      cache: STATES.find((state) => listings.some(({ cache }) => cache === state)) ?? 'hit',
      freshUntil: Math.min(...listings.map(({ freshUntil }) => freshUntil)),
    };
  }

  /** Says which member a failure came from; `withheld` stays what it is: the name is owned, and refused. */
  async of<Found>(member: Member, look: () => Promise<Found>): Promise<Found> {
    try {
      return await look();
    } catch (error) {
      throw this.#from(member, error);
    }
  }

  /** What the member has, and what goes wrong when it is opened. */
  async delivered(member: Member, look: () => Promise<Delivery>): Promise<Delivery> {
    const delivery = await this.of(member, look);
    return { ...delivery, open: () => this.of(member, () => delivery.open()) };
  }

  /** Undefined when the member says that it has none. */
  async ifAny<Found>(member: Member, look: () => Promise<Found>): Promise<Found | undefined> {
    try {
      return await this.of(member, look);
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  /** `foreign`: that a member was not asked, because the name is another's. Where that is so by claims in this virtual, nobody in it has it. */
  none(what: string, foreign?: Fault): Fault {
    const claims = claimsAgainst(foreign);
    if (!foreign || !claims) return new Fault('not_found', `No member of "${this.virtual}" has ${what}.`);
    const own = claims.find(({ virtual }) => virtual === this.virtual);
    if (!own) return foreign;
    const { rule, owners } = own;
    const asked = owners.length > 0 ? `only ${owners.join(', ')} may have it` : 'nobody in it may have it';
    return new Fault('not_found', `No member of "${this.virtual}" has ${what}: by ${rule} ${asked}.`, {
      details: { rule, owners },
    });
  }

  /**
   * An outage stops the search, and says at which member, so that nobody takes it for a missing package. Of a single member
   * it is that member's own: nobody is kept from being asked.
   */
  #from(member: Member, error: unknown): unknown {
    if (!(error instanceof Fault) || error.details['member'] !== undefined) return error;
    const details = { ...error.details, member: member.name };
    const isOutage = error.code === 'upstream_unavailable' || error.code === 'unavailable';
    if (!isOutage || this.list.length === 1) return new Fault(error.code, error.message, { cause: error, details });
    const message = `"${member.name}", a member of "${this.virtual}", cannot say: ${error.message}`;
    const { retryAfter = PATIENCE } = error.details;
    return new Fault('unavailable', message, { cause: error, details: { ...details, retryAfter } });
  }
}

/** It knows that there is none, or is not asked because the name is another's. */
export function isAbsent(error: unknown): boolean {
  return (error instanceof Fault && error.code === 'not_found') || claimsAgainst(error) !== undefined;
}

/** A list of what there is, of no package in particular, that may be made of several. */
export function isOfAll({ scope, name, opaque, digest }: IndexTarget): boolean {
  return scope === 'repository' && name === undefined && opaque !== true && digest === undefined;
}

function foreignOf(error: unknown): Fault | undefined {
  return claimsAgainst(error) === undefined ? undefined : (error as Fault);
}
