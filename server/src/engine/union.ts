import { Fault } from './fault.ts';
import type { FileTable } from './file-table.ts';
import type { AnyFormat, ArtifactTarget, Body, CallTarget, IndexTarget } from './format.ts';
import { type Member, Members } from './members.ts';
import type { Ask, CacheState, Delivery, Listing, Source } from './source.ts';
import { opened } from './virtual.ts';

/** The worst comes first: it is what the answer made of all of them is. */
const STATES: readonly CacheState[] = ['stale', 'miss', 'revalidated', 'hit'];

/** How many endings a file beside another adds to its name: `.asc.sha1`. */
const MOST_ENDINGS = 2;

/**
 * Several repositories behind one URL, none of which owns a name: an index is made of those of all members, and a file comes
 * from the first member whose own index lists it, so that digest and bytes are one member's. A member that cannot say fails
 * the whole. The rules of a member hold for what is its own.
 */
export class UnionSource implements Source {
  readonly #members: Members;

  constructor(
    readonly name: string,
    readonly format: AnyFormat,
    readonly members: readonly Member[],
    readonly files: FileTable,
  ) {
    this.#members = new Members(name, members);
  }

  async index(target: IndexTarget, ask: Ask): Promise<Listing> {
    const named = this.#named(ask);
    if (named) return this.#members.of(named, () => named.source.index(target, ask));
    if (target.opaque || target.digest !== undefined)
      return this.#members.first((member) => member.source.index(target, ask), target.path);
    const found = await Promise.all(
      this.members.map((member) => this.#members.ifAny(member, () => member.source.index(target, ask))),
    );
    const listings = found.filter((listing) => listing !== undefined);
    if (listings.length === 0) throw this.#members.none(target.name ?? target.path);
    return {
      members: listings.flatMap(({ members }) => members),
      cache: STATES.find((state) => listings.some(({ cache }) => cache === state)) ?? 'hit',
      freshUntil: Math.min(...listings.map(({ freshUntil }) => freshUntil)),
    };
  }

  async artifact(target: ArtifactTarget, ask: Ask): Promise<Delivery> {
    const named = this.#named(ask);
    if (named) return this.#members.of(named, () => named.source.artifact(target, ask));
    const indexes = this.format.factsOf(target);
    const lists = (member: Member) => this.#lists(member, indexes, target, ask);
    const listed = await this.#admitted(async (member) =>
      (await lists(member)) ? member.source.artifact(target, ask) : undefined,
    );
    if (listed) return listed;
    const unlisted = await this.#admitted((member) =>
      this.#members.ifAny(member, async () => opened(await member.source.artifact(target, ask))),
    );
    if (unlisted) return unlisted;
    throw this.#members.none(target.path);
  }

  async call(target: CallTarget, ask: Ask): Promise<Body> {
    return this.#members.first((member) => member.source.call(target, ask), target.path);
  }

  #named(ask: Ask): Member | undefined {
    return this.members.find(({ name }) => name === ask.member);
  }

  /** The first that has it and does not withhold it; what one withholds is not in its part of the index either. */
  async #admitted(look: (member: Member) => Promise<Delivery | undefined>): Promise<Delivery | undefined> {
    let withheld: Fault | undefined;
    for (const member of this.members) {
      try {
        const delivery = await this.#members.of(member, () => look(member));
        if (delivery) return delivery;
      } catch (error) {
        if (!(error instanceof Fault) || error.code !== 'withheld') throw error;
        withheld ??= error;
      }
    }
    if (withheld) throw withheld;
    return undefined;
  }

  /** By its path; by its release where none of the member's indexes goes into files. */
  async #lists(member: Member, indexes: readonly IndexTarget[], target: ArtifactTarget, ask: Ask): Promise<boolean> {
    let isOfRelease = false;
    let goesIntoFiles = false;
    for (const index of indexes) {
      const listing = await this.#members.ifAny(member, () => member.source.index(index, ask));
      for (const { repository } of listing?.members ?? []) {
        if (namesOf(target).some((path) => this.files.find(repository, index.path, path))) return true;
        isOfRelease ||= this.files.hasRelease(repository, index.path, target);
        goesIntoFiles ||= index.partial === true;
      }
    }
    return isOfRelease && !goesIntoFiles;
  }
}

/** A checksum or signature is listed where the file is that it is beside. */
function namesOf({ path, role }: ArtifactTarget): readonly string[] {
  const names = [path];
  for (let ending = 0; role === 'signature' && ending < MOST_ENDINGS; ending++) {
    const shorter = names[ending]?.replace(/\.[^./]+$/, '');
    if (shorter === undefined || shorter === names[ending]) break;
    names.push(shorter);
  }
  return names;
}
