/** Where the program runs; given, so that it can be tried out. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly home: string;
  readonly out: (text: string) => void;
  /** Shows how far something is, in place of what it showed before; absent: nobody looks on. Empty: it is over. */
  readonly progress?: (text: string) => void;
}

export interface Ran {
  /** Set by commands that know better than 0. */
  exitCode: number;
}
