import type { Store } from '../../store/store.ts';
import { Fault, faultOnly } from '../fault.ts';
import type { AliasTarget, ArtifactTarget, IndexTarget } from '../format.ts';
import { grownCache } from '../grown-cache.ts';
import type { Objects } from '../objects.ts';
import { meantBy } from '../remote/moving-names.ts';
import type { Repository } from '../repository.ts';
import type { Ask, Listing, MemberListing, SourceDocument } from '../source.ts';
import { storing } from '../stored.ts';
import { isRoot, type Pins } from './pins.ts';
import type { Renderer } from './renderer.ts';

/** What an alias means to this client, now. */
export interface Resolved {
  readonly target: ArtifactTarget | IndexTarget;
  /** Epoch milliseconds; absent: as the target itself. */
  readonly freshUntil?: number;
  /** What says so is older than it should be. */
  readonly stale?: boolean;
  /** It means something else to a client that got an older root. */
  readonly personal?: boolean;
  /** The member that says so. */
  readonly member?: string;
  /** Why it is not what the name means to everybody. */
  readonly instead?: string;
}

export interface AliasDeps {
  readonly store: Store;
  readonly objects: Objects;
  readonly renderer: Renderer;
  readonly pins: Pins;
}

const MOST = 20_000;

/** Names that move: resolved by the documents that say what they mean. */
export class Aliases {
  readonly #deps: AliasDeps;
  readonly #chosen = grownCache<{ readonly target: ArtifactTarget | IndexTarget | undefined }>(MOST);

  constructor(deps: AliasDeps) {
    this.#deps = deps;
  }

  /**
   * The root that this client got last is asked first. Throws `not_found` when no document says what it means; what is
   * named by its own digest needs nobody to say so, and is served through an outage of those that would.
   */
  async resolve(repository: Repository, alias: AliasTarget, ask: Ask): Promise<Resolved> {
    let failed = new Fault('not_found', `Nothing in "${repository.name}" says what ${alias.path} is.`);
    for (const root of this.#inOrder(repository, alias.of, ask)) {
      const resolved = await this.#by(root, repository, alias, ask).catch(faultOnly);
      if (!(resolved instanceof Fault)) {
        if (resolved) return resolved;
        continue;
      }
      if (resolved.code !== 'not_found' && alias.otherwise?.digest === undefined) throw resolved;
      if (failed.code === 'not_found') failed = resolved;
    }
    const { otherwise } = alias;
    if (!otherwise) throw failed;
    return { target: named(otherwise, alias) };
  }

  #inOrder({ name }: Repository, roots: readonly IndexTarget[], ask: Ask): readonly IndexTarget[] {
    const read = (root: IndexTarget) => this.#deps.pins.at(name, root, ask);
    return roots.length === 1 ? roots : roots.toSorted((one, other) => read(other) - read(one));
  }

  /** The first of the members that says what it is; more than one answers only where a virtual merges. */
  async #by(root: IndexTarget, repository: Repository, alias: AliasTarget, ask: Ask): Promise<Resolved | undefined> {
    const listing = await repository.source.index(root, ask);
    for (const member of listing.members) {
      const resolved = await this.#byMember(member, listing, root, repository, alias, ask);
      if (resolved) return resolved;
    }
    return undefined;
  }

  async #byMember(
    member: MemberListing,
    { freshUntil, cache }: Listing,
    root: IndexTarget,
    repository: Repository,
    alias: AliasTarget,
    ask: Ask,
  ): Promise<Resolved | undefined> {
    const personal = isRoot(root);
    const pinned = personal ? this.#deps.pins.recall(repository.name, root, ask) : undefined;
    const older = pinned && pinned.digest !== member.documents[0]?.digest;
    const target =
      (older ? await this.#choose(repository, { ...member, documents: [pinned] }, alias).catch(gone) : undefined) ??
      (await this.#choose(repository, member, alias));
    if (!target) return undefined;
    const common = { target: named(target, alias), member: member.repository };
    // An address that names the bytes means the same to everybody, for ever.
    if (alias.otherwise?.digest !== undefined) return common;
    const moving = { ...common, freshUntil, stale: cache === 'stale', personal };
    if (common.target.kind === 'index') return moving;
    const { format } = repository;
    const meant = await meantBy(common.target, member, { format, objects: this.#deps.objects, now: ask.now });
    const { until = freshUntil, instead } = meant;
    const changed = { target: named(meant.target, alias), freshUntil: Math.min(freshUntil, until) };
    return { ...moving, ...changed, ...(instead === undefined ? {} : { instead }) };
  }

  async #choose(
    repository: Repository,
    { documents }: MemberListing,
    { select, path }: AliasTarget,
  ): Promise<ArtifactTarget | IndexTarget | undefined> {
    const key = [repository.format.id, path, select, ...documents.map(({ digest, url }) => `${digest} ${url}`)].join(
      '\0',
    );
    const known = this.#chosen.get(key);
    if (known) return known.target;
    const chosen = await this.#deps.renderer.choose({
      format: repository.format.id,
      documents: await Promise.all(documents.map(async (one) => ({ ...one, bytes: await this.#bytes(one) }))),
      select,
    });
    if (chosen.kind === 'malformed')
      throw new Fault('upstream_unavailable', `What ${path} is cannot be read: ${chosen.message}`);
    this.#chosen.set(key, { target: chosen.target });
    return chosen.target;
  }

  async #bytes({ digest, target }: SourceDocument): Promise<Buffer> {
    const blob = await storing(this.#deps.store.open(digest));
    if (!blob) throw new Gone(target.path);
    return blob.bytes().finally(() => blob.release());
  }
}

/** An older generation was cleared away: the current one has to do. */
class Gone extends Fault {
  constructor(path: string) {
    super('unavailable', `The stored ${path} is gone.`, { details: { retryAfter: 1 } });
  }
}

function gone(error: unknown): undefined {
  if (error instanceof Gone) return undefined;
  throw error;
}

function named<Target extends ArtifactTarget | IndexTarget>(target: Target, { path }: AliasTarget): Target {
  return target.kind === 'artifact' ? { ...target, alias: path } : target;
}
