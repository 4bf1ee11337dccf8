import { Fault } from '../fault.ts';
import type { FileTable } from '../file-table.ts';
import type { AnyFormat, ArtifactTarget, Body, CallTarget, IndexTarget } from '../format.ts';
import type { Ask, Delivery, FileFacts, Listing, Source } from '../source.ts';
import { claimsAgainst } from './claimed.ts';
import { isOfAll, type Member, Members } from './members.ts';
import { listed, opened } from './virtual.ts';

/** How many endings a file beside another adds to its name: `.asc.sha1`. */
const MOST_ENDINGS = 2;

/** A member's index of a package, by where the file table knows it. */
interface Listed {
  readonly member: Member;
  readonly repository: string;
  readonly index: IndexTarget;
}

/** Why members were passed over. */
interface Passed {
  withheld?: Fault;
  foreign?: Fault;
}

/**
 * Several repositories behind one URL, none of which owns a name that nobody claims: an index is made of those of all
 * members, and a file comes from the first member whose own index lists it, so that digest and bytes are one member's. A
 * release is one member's, whole. A member that cannot say fails the whole. The rules of a member hold for what is its own.
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
    const named = this.#members.named(ask);
    if (named) return this.#members.of(named, () => named.source.index(target, ask));
    if (isOfAll(target)) return listed(this.#members, target, ask);
    if (target.opaque || target.digest !== undefined)
      return this.#members.first((member) => member.source.index(target, ask), target.path);
    return this.#members.all((member) => member.source.index(target, ask), target.name ?? target.path);
  }

  async artifact(target: ArtifactTarget, ask: Ask): Promise<Delivery> {
    const named = this.#members.named(ask);
    if (named) return this.#from(named, target, ask);
    const passed: Passed = {};
    const found =
      (await this.#listed(target, ask, passed)) ??
      (await this.#admitted(passed, async (member) => opened(await this.#from(member, target, ask))));
    if (found) return found;
    throw passed.withheld ?? this.#members.none(target.path, passed.foreign);
  }

  async call(target: CallTarget, ask: Ask): Promise<Body> {
    return this.#members.first((member) => member.source.call(target, ask), target.path);
  }

  #from(member: Member, target: ArtifactTarget, ask: Ask): Promise<Delivery> {
    return this.#members.delivered(member, () => member.source.artifact(target, ask));
  }

  /** Of the first member that lists it, unless one before has its release with other files. */
  #listed(target: ArtifactTarget, ask: Ask, passed: Passed): Promise<Delivery | undefined> {
    const before: Listed[] = [];
    return this.#admitted(passed, async (member) => {
      const listings = await this.#listings(member, target, ask);
      const facts = this.#find(listings, target);
      if (facts) {
        await this.#requireFree(before, facts, target, ask);
        return this.#from(member, target, ask);
      }
      before.push(...listings);
      return undefined;
    });
  }

  /** The first that has it and does not withhold it; what one withholds is not in its part of the index either. */
  async #admitted(
    passed: Passed,
    look: (member: Member) => Promise<Delivery | undefined>,
  ): Promise<Delivery | undefined> {
    for (const member of this.members) {
      const delivery = await this.#members
        .of(member, () => look(member))
        .catch((error: unknown) => passedOver(error, passed));
      if (delivery) return delivery;
    }
    return undefined;
  }

  async #listings(member: Member, target: ArtifactTarget, ask: Ask): Promise<readonly Listed[]> {
    const listings: Listed[] = [];
    for (const index of this.format.factsOf(target)) {
      const listing = await this.#members.ifAny(member, () => member.source.index(index, ask));
      listings.push(...(listing?.members ?? []).map(({ repository }) => ({ member, repository, index })));
    }
    return listings;
  }

  /** By its path; by its release where none of the member's indexes goes into files. */
  #find(listings: readonly Listed[], target: ArtifactTarget): Pick<FileFacts, 'name' | 'version'> | undefined {
    for (const { repository, index } of listings) {
      for (const path of namesOf(target)) {
        const facts = this.files.find(repository, index.path, path);
        // Where an index is of a part of a release, of builds of a snapshot, members share it.
        if (facts) return index.partial ? {} : facts;
      }
    }
    const goesIntoFiles = listings.some(({ index }) => index.partial === true);
    const isOfRelease = listings.some(({ repository, index }) => this.files.hasRelease(repository, index.path, target));
    return isOfRelease && !goesIntoFiles ? target : undefined;
  }

  /** A release of which a member before shows any file is that member's: no other adds a file to it. */
  async #requireFree(
    before: readonly Listed[],
    { name, version }: Pick<FileFacts, 'name' | 'version'>,
    target: ArtifactTarget,
    ask: Ask,
  ): Promise<void> {
    if (name === undefined || version === undefined) return;
    const canonical = (text: string) => this.format.versions?.canonical(text) ?? text;
    const isSame = (other: string) => canonical(other) === canonical(version);
    for (const { member, repository, index } of before.filter(({ index: { partial } }) => !partial)) {
      for (const { path, ...file } of this.files.every(repository, index.path)) {
        if (file.name !== name || file.version === undefined || !isSame(file.version)) continue;
        const owner = await this.#members
          .ifAny(member, () => member.source.artifact({ ...target, path }, ask))
          .catch(ifWithheld);
        if (owner)
          throw new Taken(`${target.path} is not of the ${name} ${version} that "${member.name}" has.`, member.name);
      }
    }
  }
}

/** Nobody is asked any further. */
class Taken extends Fault {
  constructor(message: string, member: string) {
    super('not_found', message, { details: { member } });
  }
}

/** Undefined, and remembered, where the next member may be asked. */
function passedOver(error: unknown, passed: Passed): undefined {
  if (!(error instanceof Fault) || error instanceof Taken) throw error;
  if (claimsAgainst(error)) passed.foreign ??= error;
  else if (error.code === 'withheld') passed.withheld ??= error;
  else if (error.code !== 'not_found') throw error;
}

function ifWithheld(error: unknown): undefined {
  if (error instanceof Fault && error.code === 'withheld') return undefined;
  throw error;
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
