import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { type SnapshotRequest, type SnapshotTaken, snapshot } from '../ledger/snapshot.ts';
import { masked } from '../schema/schema.ts';
import { storeFailure } from '../store/failure.ts';
import type { Store } from '../store/store.ts';
import {
  BLOBS,
  type BlobChoice,
  type BlobLine,
  blobName,
  COMPLETE,
  CONFIGURATION,
  type Completion,
  DATABASE,
  FORMAT,
  MANIFEST,
  type Manifest,
  type Part,
} from './archive.ts';
import { ArchiveWriter } from './archive-writer.ts';
import { copyJournal, copySecrets, type Gathered, hashOf, written } from './backup-parts.ts';

export interface BackupSource {
  readonly from: SnapshotRequest['from'];
  readonly store: Store;
  /** The data folder. */
  readonly data: string;
  /** Folder of the segments. */
  readonly journal: string;
  readonly version: string;
  readonly now: () => number;
  /** Carries what was pulled until now into the ledger; absent: nobody serves. */
  readonly drain?: () => Promise<void>;
}

export interface BackupWishes {
  readonly blobs: BlobChoice;
  readonly secrets: boolean;
}

/** A backup that is being read. */
export interface Backup {
  readonly manifest: Manifest;
  /** The file, as it is made. Destroying it ends the backup. */
  readonly output: Readable;
}

/** Another is being made. */
export class BackupUnderWay extends Error {
  override readonly name = 'BackupUnderWay';
}

/** Where a snapshot is until it is in the backup. */
const FOLDER = 'snapshot';

/** Makes backups while the server serves, one at a time. */
export class Backups {
  readonly #source: BackupSource;
  #busy = false;

  constructor(source: BackupSource) {
    this.#source = source;
  }

  /**
   * Of everything that was pulled, published and declared until now. Resolves when the ledger is copied; blobs are read while
   * the output is. Rejects with `LedgerError`, or `BackupUnderWay`.
   */
  async make(wishes: BackupWishes): Promise<Backup> {
    if (this.#busy) throw new BackupUnderWay('another backup is being made: wait until it is through');
    this.#busy = true;
    const folder = join(this.#source.data, FOLDER, randomUUID());
    const leave = async (): Promise<void> => {
      await rm(join(this.#source.data, FOLDER), { recursive: true, force: true });
      this.#busy = false;
    };
    try {
      // What a process that was killed left there.
      await rm(join(this.#source.data, FOLDER), { recursive: true, force: true });
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const { manifest, parts } = await this.#gathered(folder, wishes);
      const writer = new ArchiveWriter(new Date(manifest.made_at));
      this.#write(writer, manifest, parts)
        // Whoever has the last byte may ask for the next backup.
        .then(leave)
        .then(
          () => writer.end(),
          (error: unknown) => leave().finally(() => writer.destroy(error as Error)),
        );
      return { manifest, output: writer.output };
    } catch (error) {
      await leave();
      throw error instanceof Error && 'code' in error ? storeFailure(error, folder) : error;
    }
  }

  async #gathered(
    folder: string,
    wishes: BackupWishes,
  ): Promise<{ readonly manifest: Manifest; readonly parts: readonly Gathered[] }> {
    const { from, data, journal, version, now, drain } = this.#source;
    await drain?.();
    const madeAt = new Date(now()).toISOString();
    const [database, blobs] = [join(folder, DATABASE), join(folder, BLOBS)];
    const taken = await snapshot({ from, database, blobs });
    const parts = [
      await written(CONFIGURATION, join(folder, CONFIGURATION), configuration(taken)),
      { name: BLOBS, path: blobs },
      { name: DATABASE, path: database },
      // After the ledger: what is loaded in between is in one of the two, or came after this began.
      ...(await copyJournal(journal, folder, taken.positions)),
      ...(wishes.secrets ? await copySecrets(data, folder) : []),
    ];
    const hashed: Part[] = [];
    for (const { name, path } of parts) hashed.push({ name, ...(await hashOf(path)) });
    const { count, bytes, only, onlyBytes } = taken.blobs;
    const installation = taken.facts['installation'];
    const manifest: Manifest = {
      format: FORMAT,
      program: version,
      schema: taken.migrations,
      made_at: madeAt,
      ...(installation === undefined ? {} : { installation }),
      database: { kind: from.kind, rows: taken.tables },
      blobs: { count, bytes, only, only_bytes: onlyBytes, included: wishes.blobs },
      secrets: hashed
        .filter(({ name }) => name.startsWith('secrets/'))
        .map(({ name }) => name.slice('secrets/'.length)),
      parts: hashed,
    };
    return { manifest, parts };
  }

  async #write(writer: ArchiveWriter, manifest: Manifest, parts: readonly Gathered[]): Promise<void> {
    const text = `${JSON.stringify(manifest, undefined, 2)}\n`;
    await writer.text(MANIFEST, text);
    for (const { name, path } of parts) {
      const size = manifest.parts.find((part) => part.name === name)?.size ?? 0;
      await writer.file(name, path, size);
    }
    const list = parts.find(({ name }) => name === BLOBS);
    const blobs = list
      ? await this.#blobs(writer, list.path, manifest.blobs.included)
      : { count: 0, bytes: 0, missing: [] };
    const completion: Completion = {
      manifest_sha256: createHash('sha256').update(text).digest('hex'),
      blobs: { count: blobs.count, bytes: blobs.bytes },
      missing: blobs.missing,
    };
    await writer.text(COMPLETE, `${JSON.stringify(completion)}\n`);
  }

  async #blobs(
    writer: ArchiveWriter,
    list: string,
    choice: BlobChoice,
  ): Promise<{ count: number; bytes: number; missing: string[] }> {
    const included = { count: 0, bytes: 0, missing: [] as string[] };
    if (choice === 'none') return included;
    for await (const line of createInterface({ input: createReadStream(list) })) {
      const { digest, fetchable } = JSON.parse(line) as BlobLine;
      if (fetchable && choice === 'hosted') continue;
      const blob = await this.#source.store.open(digest);
      if (!blob) {
        included.missing.push(digest);
        continue;
      }
      try {
        await writer.stream(blobName(digest), blob.size, () => blob.stream());
      } finally {
        blob.release();
      }
      included.count += 1;
      included.bytes += blob.size;
    }
    return included;
  }
}

/** What was declared, to be read by a person: without its secrets, which are in the database only. */
function configuration({ resources }: SnapshotTaken): string {
  const declared = resources.map(({ kind, name, spec }) => ({ kind, name, spec: shown(kind, JSON.parse(spec)) }));
  return `${JSON.stringify({ resources: declared }, undefined, 2)}\n`;
}

/** A kind that this program does not know has secrets that it does not know. */
function shown(kind: string, spec: Record<string, unknown>): unknown {
  try {
    return masked(kind, spec);
  } catch {
    return {};
  }
}
