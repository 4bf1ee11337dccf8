import { LRUCache } from 'lru-cache';
import { everyFile, findFile, type PackedFiles, weightOf } from './listed-files.ts';
import type { FileFacts } from './source.ts';

/** About half a million files of Debian's; an npm package's few hundred take 100 kB. */
const MEMORY = 128 * 1024 * 1024;

/**
 * Which release a file belongs to, as the indexes say: (repository, path) → facts. Filled by every decode of an index and
 * rebuilt from the stored document when it was forgotten; bounded by memory.
 */
export class FileTable {
  readonly #studies: LRUCache<string, Study>;
  /** Keys by repository. */
  readonly #known = new Map<string, Set<string>>();

  /** Repositories of which something was forgotten for want of room. */
  readonly #short = new Set<string>();

  /** `memory`: bytes. */
  constructor(memory = MEMORY) {
    this.#studies = new LRUCache({
      maxSize: memory,
      sizeCalculation: (study) => Math.min(memory, weightOf(study.files)),
      dispose: (_, forgotten, reason) => {
        if (reason === 'set') return;
        const repository = repositoryOf(forgotten);
        this.#known.get(repository)?.delete(forgotten);
        if (reason === 'evict') this.#short.add(repository);
      },
    });
  }

  /** `generation` says which documents the files were read from. */
  put(repository: string, index: string, generation: string, files: PackedFiles): void {
    const known = this.#known.get(repository) ?? new Set();
    const own = key(repository, index);
    known.delete(own);
    this.#known.set(repository, known.add(own));
    this.#studies.set(own, { generation, files });
  }

  /** Whether something of the repository was forgotten for want of room since this was asked last. */
  wasShort(repository: string): boolean {
    return this.#short.delete(repository);
  }

  has(repository: string, index: string, generation: string): boolean {
    return this.#studies.get(key(repository, index))?.generation === generation;
  }

  /** All that the index lists. */
  every(repository: string, index: string): Iterable<FileFacts> {
    const study = this.#studies.get(key(repository, index));
    return study ? everyFile(study.files) : [];
  }

  find(repository: string, index: string, path: string): FileFacts | undefined {
    return found(this.#studies.get(key(repository, index)), path);
  }

  /** In whichever index of the repository lists it, the one read last first. */
  findAnywhere(repository: string, path: string): FileFacts | undefined {
    for (const known of [...(this.#known.get(repository) ?? [])].reverse()) {
      const file = found(this.#studies.get(known), path);
      if (file) return file;
    }
    return undefined;
  }

  /** Whether the index lists any file of the release that the target belongs to. */
  hasRelease(repository: string, index: string, { name, version }: Pick<FileFacts, 'name' | 'version'>): boolean {
    const study = this.#studies.get(key(repository, index));
    if (!study || name === undefined || version === undefined) return false;
    study.releases ??= new Set(Array.from(everyFile(study.files), releaseOf));
    return study.releases.has(releaseOf({ name, version }));
  }

  forget(repository: string, index?: string): void {
    if (index !== undefined) {
      this.#studies.delete(key(repository, index));
      return;
    }
    for (const known of [...(this.#known.get(repository) ?? [])]) this.#studies.delete(known);
    this.#known.delete(repository);
  }
}

interface Study {
  readonly generation: string;
  readonly files: PackedFiles;
  /** Made when it is first asked for. */
  releases?: ReadonlySet<string>;
}

function releaseOf({ name, version }: Pick<FileFacts, 'name' | 'version'>): string {
  return `${name}\0${version}`;
}

function found(study: Study | undefined, path: string): FileFacts | undefined {
  return study && findFile(study.files, path);
}

function repositoryOf(known: string): string {
  return known.slice(0, known.indexOf('\0'));
}

function key(repository: string, index: string): string {
  return `${repository}\0${index}`;
}
