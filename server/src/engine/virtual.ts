import { Fault } from './fault.ts';
import type { AnyFormat, ArtifactTarget, Body, CallTarget, IndexTarget } from './format.ts';
import type { Ask, Delivery, Listing, Source } from './source.ts';

export interface Member {
  readonly name: string;
  readonly source: Source;
}

/**
 * Several repositories behind one URL. The first member that has a name owns it, for index and bytes alike; a member that
 * cannot say stops the search, so that an outage never hands a private name to a public member.
 */
export class VirtualSource implements Source {
  constructor(
    readonly name: string,
    readonly format: AnyFormat,
    readonly members: readonly Member[],
  ) {}

  async index(target: IndexTarget, ask: Ask): Promise<Listing> {
    const owner = await this.#ownerOf(target, ask);
    if (!owner) return this.#first((member) => member.source.index(target, ask), target.path);
    return this.#of(owner, () => owner.source.index(target, ask));
  }

  async artifact(target: ArtifactTarget, ask: Ask): Promise<Delivery> {
    const owner = await this.#ownerOf(target, ask);
    if (owner) return this.#of(owner, () => owner.source.artifact(target, ask));
    return this.#first(async (member) => {
      const delivery = await member.source.artifact(target, ask);
      if (this.members.length === 1) return delivery;
      const content = await delivery.open();
      return { ...delivery, open: async () => content };
    }, target.path);
  }

  async call(target: CallTarget, ask: Ask): Promise<Body> {
    return this.#first((member) => member.source.call(target, ask), target.path);
  }

  /** Undefined: no roster decides, so the first member that has the thing itself does. */
  async #ownerOf(target: IndexTarget | ArtifactTarget, ask: Ask): Promise<Member | undefined> {
    const { name } = target;
    if (this.members.length === 1) return this.members[0];
    if (name === undefined || this.format.roster(name, target).length === 0) return undefined;
    try {
      return await this.#owner(name, target, ask);
    } catch (error) {
      if (target.unlisted && isAbsent(error)) return undefined;
      throw error;
    }
  }

  /** Decided by the rosters alone: what a member's own index of the asked kind says does not matter. */
  async #owner(name: string, near: IndexTarget | ArtifactTarget, ask: Ask): Promise<Member> {
    return this.#first(async (member) => {
      let absent: unknown;
      for (const roster of this.format.roster(name, near)) {
        try {
          await member.source.index(roster, ask);
          return member;
        } catch (error) {
          if (!isAbsent(error)) throw error;
          absent = error;
        }
      }
      throw absent ?? new Fault('not_found', `"${member.name}" has no ${name}.`);
    }, name);
  }

  async #first<Found>(look: (member: Member) => Promise<Found>, what: string): Promise<Found> {
    for (const member of this.members) {
      try {
        return await this.#of(member, () => look(member));
      } catch (error) {
        if (!isAbsent(error)) throw error;
      }
    }
    throw new Fault('not_found', `No member of "${this.name}" has ${what}.`);
  }

  /** Says which member a failure came from; `withheld` stays what it is: the name is owned, and refused. */
  async #of<Found>(member: Member, look: () => Promise<Found>): Promise<Found> {
    try {
      return await look();
    } catch (error) {
      if (!(error instanceof Fault) || error.details['member'] !== undefined) throw error;
      throw new Fault(error.code, error.message, { cause: error, details: { ...error.details, member: member.name } });
    }
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Fault && error.code === 'not_found';
}
