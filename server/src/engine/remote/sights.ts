import { setTimeout as delay } from 'node:timers/promises';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Store } from '../../store/store.ts';
import type { Studied } from '../answer/render.ts';
import type { Renderer } from '../answer/renderer.ts';
import { Fault } from '../fault.ts';
import { Flights } from '../flight.ts';
import type { AnyFormat, ArtifactTarget, IndexTarget } from '../format.ts';
import { grownCache } from '../grown-cache.ts';
import { everyFile } from '../listed-files.ts';
import type { Log } from '../log.ts';
import type { Objects } from '../objects.ts';
import type { Meanings, SourceDocument } from '../source.ts';
import { stored } from '../stored.ts';
import { targetAt } from '../understood.ts';
import { described } from './described.ts';
import type { RemoteSettings } from './remote-settings.ts';

export interface SightDeps {
  readonly settings: RemoteSettings;
  readonly format: AnyFormat;
  readonly ledger: Pick<Ledger, 'recordSights' | 'isListed' | 'meanings' | 'carriers'>;
  readonly store: Store;
  readonly objects: Objects;
  readonly renderer: Renderer;
  readonly log: Log;
  readonly now: () => number;
  /** `pages`: so many of them, if there are more. */
  readonly read: (target: IndexTarget, pages: number) => Promise<readonly SourceDocument[]>;
  /** Only what is here. */
  readonly kept: (target: IndexTarget) => Promise<readonly SourceDocument[]>;
}

/** What a document is read of for: how a first listing can be had. */
type Listing = readonly string[] | 'on record' | 'unknown';

/** How long a first request waits for the first listing, in milliseconds. */
const PATIENCE = 5000;
/** Names on later pages of it do not count as listed. */
const MOST_PAGES = 20;
/** How long it is not asked for again where it could not be had, and how often what is kept is looked through. */
const PAUSE = 60_000;
/** So many kept objects are looked through. */
const MOST_KEPT = 2000;
const MEANINGS_KEPT = 60_000;

type Study = Extract<Studied, { kind: 'studied' }>;

/**
 * What is seen of releases that no document dates: put on record before it is served, whatever the policy is, so that a rule
 * that comes later knows what was there before it.
 */
export class Sights {
  readonly #deps: SightDeps;
  /** Documents that are on record, until when. */
  readonly #noted = grownCache<number>(50_000);
  /** Packages whose first listing is on record; of others, when it may be asked for again. */
  readonly #listed = grownCache<number>(20_000);
  readonly #looked = grownCache<number>(20_000);
  readonly #meanings = grownCache<Promise<Meanings>>(5000, { ttl: MEANINGS_KEPT });
  readonly #notes = new Flights<void>();
  readonly #listings = new Flights<Listing>();
  readonly #looks = new Flights<void>();
  #asked = 0;

  constructor(deps: SightDeps) {
    this.#deps = deps;
  }

  isNoted(target: IndexTarget, documents: readonly Pick<SourceDocument, 'digest'>[] = []): boolean {
    return !target.sights || (this.#noted.get(keyOf(target, documents)) ?? 0) > this.#deps.now();
  }

  /** Never rejects: what is not on record counts as never seen. */
  async note(target: IndexTarget, documents: readonly SourceDocument[]): Promise<void> {
    const { name } = target;
    if (name === undefined || this.isNoted(target, documents)) return;
    const key = keyOf(target, documents);
    await this.#notes.run(key, async () => {
      try {
        const isWhole = await this.#record(target, name, documents);
        this.#noted.set(key, isWhole ? Number.POSITIVE_INFINITY : this.#deps.now() + PAUSE);
      } catch (error) {
        const { log, settings } = this.#deps;
        log.error('what was seen is not on record', { repository: settings.name, path: target.path, error });
      }
    });
  }

  /** What moving names of the package are known to have meant. */
  meanings(name: string): Promise<Meanings> {
    const known = this.#meanings.get(name);
    if (known) return known;
    this.#asked += 1;
    const id = `${this.#asked}`;
    const asked = this.#deps.ledger.meanings(this.#deps.settings.name, name).then((all): Meanings => {
      const byTag = Map.groupBy(all, ({ tag }) => tag);
      const of = [...byTag].map(([tag, some]) => [tag, some.map(({ version }) => version)] as const);
      return { id, of: Object.fromEntries(of) };
    });
    this.#meanings.set(name, asked);
    asked.catch(() => this.#meanings.delete(name));
    return asked;
  }

  /** Versions of the releases that name the part's digest by its bytes; what is kept of them is looked through where none is on record. */
  async carriers({ name = '', part = '' }: ArtifactTarget, digest: string): Promise<readonly string[]> {
    const { ledger, settings, now } = this.#deps;
    const known = await ledger.carriers(settings.name, name, digest);
    if (known.length > 0 || (this.#looked.get(name) ?? 0) > now()) return known;
    await this.#looks.run(name, async () => {
      await this.#lookThrough(part);
      this.#looked.set(name, now() + PAUSE);
    });
    return ledger.carriers(settings.name, name, digest);
  }

  /** False: without the first listing, which could not be had now. */
  async #record(target: IndexTarget, name: string, documents: readonly SourceDocument[]): Promise<boolean> {
    const { sights } = target;
    if (!sights) return true;
    const study = await this.#studied(documents);
    const isListing = target.path === sights.first.path;
    const listing = await this.#firstListing(name, sights.first, isListing ? study : undefined);
    if (isListing && listing === 'on record') return true;
    const { carrier, beside } = sights;
    const digests = [...everyFile(study.files)].flatMap(({ digest }) => digest ?? []);
    await this.#deps.ledger.recordSights({
      repository: this.#deps.settings.name,
      format: this.#deps.format.id,
      name,
      at: Math.min(...documents.map(({ since }) => since)),
      releases: isListing
        ? []
        : study.releases.map(({ version, tag }) => ({ version, ...(tag === undefined ? {} : { tag }) })),
      ...(typeof listing === 'string' ? {} : { listing }),
      ...(carrier === undefined
        ? {}
        : { carrier: { version: carrier, parts: digests.filter((digest) => digest !== carrier) } }),
      ...(beside === undefined ? {} : { beside }),
    });
    if (listing !== 'unknown') this.#listed.set(name, Number.POSITIVE_INFINITY);
    this.#meanings.delete(name);
    return listing !== 'unknown';
  }

  /** `itself`: the document at hand is it. */
  async #firstListing(name: string, first: IndexTarget, itself: Study | undefined): Promise<Listing> {
    const { ledger, settings, now } = this.#deps;
    const known = this.#listed.get(name) ?? 0;
    if (known === Number.POSITIVE_INFINITY) return 'on record';
    return this.#listings.run(name, async () => {
      if (await ledger.isListed(settings.name, name)) {
        this.#listed.set(name, Number.POSITIVE_INFINITY);
        return 'on record';
      }
      if (itself) return namesOf(itself);
      if (known > now()) return 'unknown';
      const waited = delay(PATIENCE, 'unknown' as const, { ref: false });
      const listing = await Promise.race([this.#asListed(first), waited]);
      if (listing === 'unknown') this.#listed.set(name, now() + PAUSE);
      return listing;
    });
  }

  /** A registry that does not tell its names has none in its first listing. */
  async #asListed(first: IndexTarget): Promise<readonly string[] | 'unknown'> {
    try {
      return namesOf(await this.#studied(await this.#deps.read(first, MOST_PAGES)));
    } catch (error) {
      if (error instanceof Fault && isRefused(error)) return [];
      const { log, settings } = this.#deps;
      log.warn('a first listing cannot be had', { repository: settings.name, path: first.path, error });
      return 'unknown';
    }
  }

  async #studied(documents: readonly SourceDocument[]): Promise<Study> {
    const { settings, format, renderer } = this.#deps;
    const read = documents.map(async ({ target, digest, ...document }) => ({
      target,
      ...described(document),
      bytes: await stored(this.#deps, { repository: settings.name, path: target.path, digest }),
    }));
    const job = { format: format.id, documents: await Promise.all(read), options: settings.options };
    const studied = await renderer.study(job);
    if (studied.kind === 'malformed') throw new Fault('upstream_unavailable', studied.message);
    return studied;
  }

  /** Documents that were kept before they were put on record. */
  async #lookThrough(prefix: string): Promise<void> {
    const { objects, settings } = this.#deps;
    const rows = await objects.page(settings.name, MOST_KEPT, undefined, prefix);
    for (const { path, kind } of rows) {
      const document = kind === 'artifact' ? this.#carrierAt(path) : undefined;
      if (document) await this.#deps.kept(document).then((documents) => this.note(document, documents), ignoreFault);
    }
  }

  #carrierAt(path: string): IndexTarget | undefined {
    const { format, settings } = this.#deps;
    const target = targetAt(format, settings.options, path);
    if (target?.kind !== 'artifact') return undefined;
    return format.factsOf(target).find(({ path: own, sights }) => own === path && sights?.carrier !== undefined);
  }
}

function namesOf({ releases }: Study): readonly string[] {
  return releases.flatMap(({ tag }) => tag ?? []);
}

/** It said so, and will say so again. */
function isRefused({ code, details: { upstreamStatus = 0 } }: Fault): boolean {
  if (code === 'not_found') return true;
  return upstreamStatus >= 400 && upstreamStatus < 500 && upstreamStatus !== 408 && upstreamStatus !== 429;
}

function ignoreFault(error: unknown): void {
  if (!(error instanceof Fault)) throw error;
}

function keyOf({ path, digest: own }: IndexTarget, documents: readonly Pick<SourceDocument, 'digest'>[]): string {
  return own === undefined ? [path, ...documents.map(({ digest }) => digest)].join(' ') : path;
}
