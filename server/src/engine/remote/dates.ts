import { setTimeout as delay } from 'node:timers/promises';
import type { FileDate, Ledger } from '../../ledger/ledger.ts';
import { Fault, faultOnly } from '../fault.ts';
import type { FileTable } from '../file-table.ts';
import { Flights } from '../flight.ts';
import type { AnyFormat, ArtifactTarget, IndexTarget, Published } from '../format.ts';
import { grownCache } from '../grown-cache.ts';
import type { Log } from '../log.ts';
import type { Objects } from '../objects.ts';
import type { Dated, FileFacts, ListedDates, SourceDocument } from '../source.ts';
import { targetAt } from '../understood.ts';
import type { Exchange } from './exchange.ts';
import { fileAt, type Locating } from './places.ts';
import type { RemoteSettings } from './remote-settings.ts';

export interface DateDeps {
  readonly settings: RemoteSettings;
  readonly format: AnyFormat;
  readonly exchange: Exchange;
  readonly objects: Objects;
  readonly files: FileTable;
  readonly ledger: Pick<Ledger, 'fileDates' | 'recordFileDates'>;
  readonly log: Log;
  readonly now: () => number;
  readonly locating: (target: ArtifactTarget) => Promise<Locating>;
  /** Reads an index, so that the file table has what it lists. */
  readonly read: (target: IndexTarget) => Promise<unknown>;
}

/** How long an answer waits for dates; what is not dated by then is dated behind it. Milliseconds. */
const PATIENCE = 3000;
/** Asked of one index, the newest versions first; the others count as undated. */
const MOST = 2000;
const WIDTH = 8;
/** An upstream that dates none of this many does not send dates. */
const SILENT = 8;
/** How long nothing is asked again where the upstream said nothing, or could not say. */
const PAUSE = 10 * 60_000;
const AFTER_FAILURE = 10_000;

/** When files became public, where no index says so: by Last-Modified, or by the document that describes the release. */
export class Dates {
  readonly #deps: DateDeps;
  readonly #modified = grownCache<{ readonly at: number | undefined; readonly until: number }>(50_000);
  readonly #asking = new Flights<number | undefined>();
  readonly #studies = grownCache<Study>(5000);

  constructor(deps: DateDeps) {
    this.#deps = deps;
  }

  /** Last-Modified, epoch milliseconds: known of what is here or was asked before, asked with HEAD of what is not. */
  async modified(target: ArtifactTarget, file: FileFacts): Promise<number | undefined> {
    const { objects, settings, ledger, now } = this.#deps;
    const row = await objects.get(settings.name, target.path);
    if (row) return dateOf(row.lastModified);
    const known = this.#modified.get(target.path);
    if (known && now() < known.until) return known.at;
    return this.#asking.run(target.path, async () => {
      const changes = target.mutable === true;
      const [recorded] = changes ? [] : await ledger.fileDates(settings.name, settings.url, [target.path]);
      const at = recorded?.at ?? (await this.#head(target, file));
      if (at !== undefined && !recorded && !changes) await this.#record({ path: target.path, at });
      const lasts = at !== undefined && !changes;
      this.#modified.set(target.path, { at, until: lasts ? Number.POSITIVE_INFINITY : now() + PAUSE });
      return at;
    });
  }

  /** As the index says that describes the release of a file; undefined: there is none, or it cannot be had now. */
  async described(file: FileFacts): Promise<Published | undefined> {
    const study = new Study();
    if (file.details !== undefined) await this.#described(file.details, [file], study).catch(faultOnly);
    return study.of[file.path]?.published;
  }

  /**
   * Of the files that an index lists without a date. `before`: where all of the index is known to be older than that, no
   * single date is asked for. `kept`: nothing is asked for.
   */
  async listed(
    index: IndexTarget,
    documents: readonly SourceDocument[],
    { before, kept = false }: { readonly before: number; readonly kept?: boolean | undefined },
  ): Promise<ListedDates> {
    const whole = documents.map(({ lastModified }) => dateOf(lastModified));
    const at = whole.every((date) => date !== undefined) ? Math.max(...whole) : undefined;
    const common = at === undefined || at > this.#deps.now() ? {} : { at };
    if (common.at !== undefined && common.at < before) return { ...common, of: {}, id: 'whole', complete: true };
    const key = [index.path, ...documents.map(({ digest }) => digest)].join(' ');
    const study = kept ? (this.#studies.get(key) ?? new Study()) : this.#current(key, index);
    await Promise.race([study.done, delay(PATIENCE, undefined, { ref: false })]);
    return { ...common, of: study.of, id: `${study.known}`, complete: study.isOver };
  }

  #current(key: string, index: IndexTarget): Study {
    const known = this.#studies.get(key);
    if (known && this.#deps.now() < known.until) return known;
    const study = new Study();
    study.done = this.#study(index, study).then(
      () => study.end(study.isWhole ? Number.POSITIVE_INFINITY : this.#deps.now() + PAUSE),
      (error: unknown) => {
        this.#deps.log.warn('dates are missing', { repository: this.#deps.settings.name, path: index.path, error });
        study.end(this.#deps.now() + AFTER_FAILURE);
      },
    );
    this.#studies.set(key, study);
    return study;
  }

  async #study(index: IndexTarget, study: Study): Promise<void> {
    const { files, settings, format, ledger } = this.#deps;
    const undated = [...files.every(settings.name, index.path)].filter(({ published }) => published?.by !== 'server');
    const releases = [...Map.groupBy(undated, ({ version, path }) => version ?? path)];
    const { versions: order } = format;
    const newest = releases.toReversed();
    const spelled = (version: string) => order?.canonical(version) !== undefined;
    if (order && releases.every(([version]) => spelled(version)))
      newest.sort(([one], [other]) => order.compare(other, one));
    const paths = undated.map(({ path }) => path);
    for (const { path, at } of await ledger.fileDates(settings.name, settings.url, paths))
      study.learn(path, { lastModified: at });
    const todo = newest.slice(0, MOST).filter(([, of]) => of.some(({ path }) => !study.knows(path)));
    study.isWhole = newest.length <= MOST;
    let silent = 0;
    for (let from = 0; from < todo.length && silent < SILENT; from += WIDTH) {
      const some = await Promise.all(todo.slice(from, from + WIDTH).map(([, of]) => this.#dated(of, study)));
      silent = some.some(Boolean) ? 0 : silent + some.length;
      study.isWhole &&= some.every(Boolean);
    }
  }

  /** Of the files of one release; false: the upstream says nothing. */
  async #dated(of: readonly FileFacts[], study: Study): Promise<boolean> {
    const details = of.find((file) => file.details !== undefined)?.details;
    if (details !== undefined && (await this.#described(details, of, study))) return true;
    const dates = of.map(async (file) => {
      const target = this.#targetAt(file.path);
      if (target?.kind !== 'artifact') return false;
      const at = await this.modified(target, file);
      if (at !== undefined) study.learn(file.path, { lastModified: at });
      return at !== undefined;
    });
    return (await Promise.all(dates)).some(Boolean);
  }

  async #described(path: string, of: readonly FileFacts[], study: Study): Promise<boolean> {
    const { files, settings, read } = this.#deps;
    const target = this.#targetAt(path);
    if (target?.kind !== 'index') return false;
    try {
      await read(target);
    } catch (error) {
      if (error instanceof Fault && error.code === 'not_found') return false;
      throw error;
    }
    const found = of.flatMap((file) => {
      const published = files.find(settings.name, target.path, file.path)?.published;
      if (published) study.learn(file.path, { published });
      return published ? [published] : [];
    });
    return found.length > 0;
  }

  #targetAt(path: string) {
    const { format, settings } = this.#deps;
    return targetAt(format, settings.options, path);
  }

  async #head(target: ArtifactTarget, file: FileFacts): Promise<number | undefined> {
    const response = await this.#deps.exchange.head(fileAt(target, file, await this.#deps.locating(target)));
    return typeof response === 'object' ? dateOf(response.headers['last-modified']) : undefined;
  }

  /** What is not on record is asked again after a start. */
  async #record(date: FileDate): Promise<void> {
    const { settings, ledger, log } = this.#deps;
    await ledger
      .recordFileDates(settings.name, settings.url, [date])
      .catch((error: unknown) => log.error('a date was not recorded', { repository: settings.name, error }));
  }
}

/** The dates of one index, while they are asked for and after. */
class Study {
  done: Promise<void> = Promise.resolve();
  isOver = false;
  /** Every file has a date. */
  isWhole = false;
  known = 0;
  /** Epoch milliseconds after which it is made again. */
  until = Number.POSITIVE_INFINITY;
  of: Readonly<Record<string, Dated>> = Object.create(null);

  knows(path: string): boolean {
    return Object.hasOwn(this.of, path);
  }

  learn(path: string, dated: Dated): void {
    (this.of as Record<string, Dated>)[path] = dated;
    this.known += 1;
  }

  end(until: number): void {
    this.isOver = true;
    this.until = until;
  }
}

/** Epoch milliseconds of an HTTP date; undefined: there is none that can be read. */
export function dateOf(header: string | undefined): number | undefined {
  const at = header === undefined ? Number.NaN : Date.parse(header);
  return Number.isNaN(at) ? undefined : at;
}
