/** A lock file that cannot be read: one sentence, with the file and, where known, the line. */
export class LockFileError extends Error {
  override readonly name = 'LockFileError';
}

/** Characters: three times the largest lock file of a monorepo that we know of. */
const LARGEST = 32 * 1024 * 1024;

/** The file as it came; what is wrong with it is said with its name. */
export class LockText {
  readonly name: string;
  readonly text: string;

  /** `name` may have folders before it. Throws `LockFileError` when there is nothing to read, or too much. */
  constructor(name: string, text: string) {
    this.name = name;
    this.text = text.startsWith('\uFEFF') ? text.slice(1) : text;
    if (this.text.length > LARGEST)
      throw this.wrong(`is larger than ${LARGEST / 1024 / 1024} MiB, which no client writes`);
    if (this.text.trim() === '') throw this.wrong('is empty');
    if (this.text.includes('\0')) throw this.wrong('is not text');
  }

  /** `line` counts from 1. */
  wrong(why: string, line?: number, cause?: unknown): LockFileError {
    const place = line === undefined ? this.name : `${this.name}:${line}`;
    return new LockFileError(`${place}: ${oneLine(why)}`, { cause });
  }

  /** Runs a parser; whatever it throws is said as a fault of the file. `lineOf` finds the line in what was thrown. */
  parsed<Value>(what: string, parse: () => Value, lineOf: (error: unknown) => number | undefined): Value {
    try {
      return parse();
    } catch (error) {
      if (error instanceof LockFileError) throw error;
      if (error instanceof RangeError) throw this.wrong('is nested too deeply', undefined, error);
      throw this.wrong(`is not ${what}: ${(error as Error).message}`, lineOf(error), error);
    }
  }
}

function oneLine(text: string): string {
  const [first = ''] = text.split('\n');
  return first.length > 300 ? `${first.slice(0, 300)}…` : first;
}
