import type { Readable, Store, Upload } from '../../store/store.ts';
import { Fault } from '../fault.ts';
import { type AnyFormat, type ArtifactTarget, type IndexTarget, Malformed, type Sums } from '../format.ts';
import type { Log } from '../log.ts';
import type { Objects } from '../objects.ts';
import { LostBlob, storing } from '../stored.ts';
import type { RemoteSettings } from './remote-settings.ts';
import { filesOfZip } from './zip-files.ts';

export interface SumDeps {
  readonly settings: RemoteSettings;
  readonly format: AnyFormat;
  readonly store: Store;
  readonly objects: Objects;
  readonly log: Log;
  /** As the upstream says it, kept or fetched. Throws `Fault`, `LostBlob`. */
  readonly document: (target: IndexTarget) => Promise<Uint8Array>;
  /** Something that was served may not be served again. */
  readonly outdated: () => void;
}

/** Databases that are asked about one file. */
const MOST_DATABASES = 8;
/** How long a file that is otherwise here waits for its record, in milliseconds. */
const PATIENCE = 10_000;

/** Holds the contents of a remote's zip files against the records of the databases that its clients use. */
export class ContentSums {
  readonly #deps: SumDeps;
  readonly #databases = new Set<string>();
  #remembered: Promise<void> | undefined;
  /** Files that are about to be kept, with the sum that was found right, if any was. */
  readonly #taking = new Map<string, Promise<string | undefined>>();

  constructor(deps: SumDeps) {
    this.#deps = deps;
  }

  /** Calls `keep` once the file is known to be what is on record, or to have no record. Throws `integrity`. */
  async keep<Result>(target: ArtifactTarget, upload: Upload, keep: () => Promise<Result>): Promise<Result> {
    const { sums } = this.#deps.format;
    if (!sums) return keep();
    const verified = this.#verify(sums, target, upload);
    const kept = verified.then(keep);
    const taken = kept.then(
      () => verified,
      () => undefined,
    );
    this.#taking.set(target.path, taken);
    try {
      return await kept;
    } finally {
      if (this.#taking.get(target.path) === taken) this.#taking.delete(target.path);
    }
  }

  /** A document has come from the upstream, and is kept: it may be the record of a file that is here already. */
  received(target: IndexTarget): void {
    const { settings, format, log } = this.#deps;
    const database = format.sums?.database(target.path);
    if (!format.sums || database === undefined) return;
    if (this.#databases.size < MOST_DATABASES) this.#databases.add(database);
    this.#compare(format.sums, target).catch((error: unknown) =>
      log.warn('a file was not compared with its record', { repository: settings.name, path: target.path, error }),
    );
  }

  async #verify(sums: Sums, target: ArtifactTarget, upload: Upload): Promise<string | undefined> {
    const { name } = this.#deps.settings;
    const recorded = await within(PATIENCE, this.#recorded(sums, target));
    if (recorded === undefined) return undefined;
    const actual = await this.#sumOf(sums, upload.inspect());
    if (actual === recorded) return recorded;
    throw new Fault(
      'integrity',
      `The upstream of "${name}" sent the wrong ${target.path}: its contents are ${actual}, ${recorded} is on record.`,
    );
  }

  async #recorded(sums: Sums, target: ArtifactTarget): Promise<string | undefined> {
    const { name, version } = target;
    if (name === undefined || version === undefined) return undefined;
    await this.#remember(sums);
    for (const database of this.#databases) {
      const record = sums.record(target, database);
      const document = record && (await this.#document(record));
      const sum = document && sums.read(document, { name, version });
      if (sum !== undefined) return sum;
    }
    return undefined;
  }

  /** Undefined where the database has no such record, or cannot be asked. */
  async #document(record: IndexTarget): Promise<Uint8Array | undefined> {
    const { settings, document, log } = this.#deps;
    try {
      return await document(record);
    } catch (error) {
      if (error instanceof Fault && error.code === 'not_found') return undefined;
      if (!(error instanceof Fault || error instanceof LostBlob)) throw error;
      log.warn('the record of a file is not to be had', { repository: settings.name, path: record.path, error });
      return undefined;
    }
  }

  /** The databases whose answers are here since before the start. */
  #remember({ prefix, database }: Sums): Promise<void> {
    const { settings, objects } = this.#deps;
    const remember = async () => {
      let after: string | undefined;
      while (this.#databases.size < MOST_DATABASES) {
        const [row] = await objects.page(settings.name, 1, after, prefix);
        const known = row && database(row.path);
        if (known === undefined) return;
        this.#databases.add(known);
        after = `${known}/\u{10FFFF}`;
      }
    };
    this.#remembered ??= remember().catch((error: unknown) => {
      this.#remembered = undefined;
      throw error;
    });
    return this.#remembered;
  }

  async #compare(sums: Sums, record: IndexTarget): Promise<void> {
    const { settings, store, objects, log } = this.#deps;
    const path = sums.recorded(record);
    if (path === undefined) return;
    const agreed = await this.#taking.get(path);
    const row = await objects.known(settings.name, path);
    if (row?.name === undefined || row.version === undefined || row.upstream !== settings.url) return;
    const recorded = sums.read(await this.#deps.document(record), { name: row.name, version: row.version });
    if (recorded === undefined || recorded === agreed || row.disputed !== undefined) return;
    const blob = await storing(store.open(row.digest));
    const actual = blob && (await this.#sumOf(sums, blob));
    if (actual === undefined || actual === recorded) return;
    log.error('a file is not what is on record', {
      repository: settings.name,
      path,
      is: actual,
      recorded,
      record: record.path,
    });
    await objects.dispute(row, recorded);
    this.#deps.outdated();
  }

  /** Its sum, or why it has none. */
  async #sumOf(sums: Sums, body: Readable): Promise<string> {
    try {
      return sums.of(await storing(filesOfZip(body)));
    } catch (error) {
      if (error instanceof Malformed) return `unreadable (${error.message})`;
      throw error;
    } finally {
      body.release();
    }
  }
}

/** Undefined when the time has passed. */
async function within<Result>(milliseconds: number, work: Promise<Result>): Promise<Result | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, milliseconds, undefined);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
