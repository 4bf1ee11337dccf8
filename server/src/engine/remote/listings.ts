import type { Ledger, Listing } from '../../ledger/ledger.ts';
import { faultOnly } from '../fault.ts';
import type { AnyFormat, IndexTarget } from '../format.ts';
import type { Log } from '../log.ts';
import type { RemoteSettings } from './remote-settings.ts';

export interface ListingDeps {
  readonly settings: RemoteSettings;
  readonly format: AnyFormat;
  readonly ledger: Pick<Ledger, 'recordListing' | 'recordSights' | 'isListed'>;
  readonly log: Log;
  readonly now: () => number;
  /** Fetches an index that is not here; what it lists is on record then. */
  readonly read: (target: IndexTarget) => Promise<unknown>;
}

/** When releases were first seen, which is what their age is judged by: on record before a document that says so is served. */
export class Listings {
  readonly #deps: ListingDeps;

  constructor(deps: ListingDeps) {
    this.#deps = deps;
  }

  /** Never rejects: what is not on record counts as never seen. */
  async record(target: IndexTarget, releases: Listing['releases']): Promise<void> {
    const { settings, format, ledger, log, now } = this.#deps;
    const { name, scope, partial } = target;
    if (scope !== 'package' || name === undefined) return;
    const listing = { repository: settings.name, format: format.id, name, releases };
    try {
      if (!partial || (isByAuthor(releases) && (await this.#isListed(target, name))))
        await ledger.recordListing({ ...listing, at: now() });
      else if (isByAuthor(releases)) await ledger.recordSights({ ...listing, at: now() });
    } catch (error) {
      log.error('a listing was not recorded', { repository: settings.name, path: target.path, error });
    }
  }

  /**
   * An author's time counts for what stood in the first listing of the package: that has to be read before what describes a
   * single release, which would else be taken for it.
   */
  async #isListed({ path }: IndexTarget, name: string): Promise<boolean> {
    const { settings, format, ledger, read } = this.#deps;
    if (await ledger.isListed(settings.name, name)) return true;
    for (const index of format.roster(name)) if (index.path !== path) await read(index).catch(faultOnly);
    return ledger.isListed(settings.name, name);
  }
}

const isByAuthor = (releases: Listing['releases']): boolean =>
  releases.some(({ publishedBy }) => publishedBy === 'author');
