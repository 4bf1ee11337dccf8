import { LRUCache } from 'lru-cache';
import type { FileFacts } from './source.ts';

/**
 * Which release a file belongs to, as the indexes say: (repository, path) → facts. Filled by every decode of an index and
 * rebuilt from the stored document when it was forgotten; bounded by the number of files.
 */
export class FileTable {
  readonly #studies: LRUCache<string, Study>;

  constructor(mostFiles = 60_000) {
    this.#studies = new LRUCache({
      maxSize: mostFiles,
      maxEntrySize: mostFiles * 4,
      sizeCalculation: (study) => Math.min(mostFiles, study.files.size + 1),
    });
  }

  /** `generation` says which documents the files were read from. */
  put(repository: string, index: string, generation: string, files: readonly FileFacts[]): void {
    const byPath = new Map<string, FileFacts>();
    const below: FileFacts[] = [];
    for (const file of files) {
      if (file.path.endsWith('/')) below.push(file);
      else if (!byPath.has(file.path)) byPath.set(file.path, file);
    }
    this.#studies.set(key(repository, index), { generation, files: byPath, below });
  }

  has(repository: string, index: string, generation: string): boolean {
    return this.#studies.get(key(repository, index))?.generation === generation;
  }

  find(repository: string, index: string, path: string): FileFacts | undefined {
    const study = this.#studies.get(key(repository, index));
    return study?.files.get(path) ?? study?.below.find((file) => path.startsWith(file.path));
  }

  forget(repository: string, index?: string): void {
    if (index !== undefined) {
      this.#studies.delete(key(repository, index));
      return;
    }
    for (const known of this.#studies.keys()) if (known.startsWith(`${repository}\0`)) this.#studies.delete(known);
  }
}

interface Study {
  readonly generation: string;
  readonly files: ReadonlyMap<string, FileFacts>;
  readonly below: readonly FileFacts[];
}

function key(repository: string, index: string): string {
  return `${repository}\0${index}`;
}
