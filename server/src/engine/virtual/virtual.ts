import { Fault } from '../fault.ts';
import type { AnyFormat, ArtifactTarget, Body, CallTarget, IndexTarget } from '../format.ts';
import type { Ask, Delivery, Listing, Source } from '../source.ts';
import { claimsAgainst } from './claimed.ts';
import { isAbsent, isOfAll, type Member, Members } from './members.ts';

/**
 * Several repositories behind one URL. The first member that has a name owns it, for index and bytes alike; a member that
 * cannot say stops the search, so that an outage never hands a private name to a public member.
 */
export class VirtualSource implements Source {
  readonly #members: Members;

  constructor(
    readonly name: string,
    readonly format: AnyFormat,
    readonly members: readonly Member[],
  ) {
    this.#members = new Members(name, members);
  }

  async index(target: IndexTarget, ask: Ask): Promise<Listing> {
    if (isOfAll(target)) return listed(this.#members, target, ask);
    const owner = await this.#ownerOf(target, ask);
    if (!owner) return this.#members.first((member) => member.source.index(target, ask), target.path);
    return this.#owned(owner, target, () => owner.source.index(target, ask));
  }

  async artifact(target: ArtifactTarget, ask: Ask): Promise<Delivery> {
    const owner = await this.#ownerOf(target, ask);
    if (owner)
      return this.#owned(owner, target, () => this.#members.delivered(owner, () => owner.source.artifact(target, ask)));
    return this.#members.first(async (member) => {
      const delivery = await this.#members.delivered(member, () => member.source.artifact(target, ask));
      return this.members.length === 1 ? delivery : opened(delivery);
    }, target.path);
  }

  async call(target: CallTarget, ask: Ask): Promise<Body> {
    return this.#members.first((member) => member.source.call(target, ask), target.path);
  }

  /** What only its owner is asked for; where that is none of its own by claims in this virtual, nobody has it. */
  #owned<Found>(owner: Member, { path }: IndexTarget | ArtifactTarget, look: () => Promise<Found>): Promise<Found> {
    return this.#members.of(owner, look).catch((error: unknown) => {
      throw error instanceof Fault && claimsAgainst(error) ? this.#members.none(path, error) : error;
    });
  }

  /** Undefined: no roster decides, so the first member that has the thing itself does. */
  async #ownerOf(target: IndexTarget | ArtifactTarget, ask: Ask): Promise<Member | undefined> {
    const { name } = target;
    if (this.members.length === 1) return this.members[0];
    const named = this.#members.named(ask);
    if (named) return named;
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
    return this.#members.first(async (member) => {
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
}

/**
 * A list of what there is, made of those of all members. A registry may keep to itself what it has (Docker Hub's catalog):
 * then it is made of the others'.
 */
export async function listed(members: Members, target: IndexTarget, ask: Ask): Promise<Listing> {
  let kept: unknown;
  try {
    return await members.all(async (member) => {
      try {
        return await members.of(member, () => member.source.index(target, ask));
      } catch (error) {
        if (!keepsToItself(error)) throw error;
        kept ??= error;
        return undefined;
      }
    }, target.path);
  } catch (error) {
    throw isAbsent(error) ? (kept ?? error) : error;
  }
}

function keepsToItself(error: unknown): boolean {
  if (!(error instanceof Fault)) return false;
  const { upstreamStatus } = error.details;
  return upstreamStatus === 401 || upstreamStatus === 403;
}

/** Whether a member has a file shows when it is opened. */
export async function opened(delivery: Delivery): Promise<Delivery> {
  const content = await delivery.open();
  return { ...delivery, open: async () => content };
}
