/** An origin that is left alone. */
export interface Rest {
  /** Still so long. */
  readonly milliseconds: number;
  /** What was the matter, as a sentence. */
  readonly why: string;
}

/** What the processes of an installation tell each other of origins that do not answer. */
export interface Rests {
  /** This process leaves it alone from now on. */
  begun(channel: string, rest: Rest): void;
  /** This process found it back. */
  ended(channel: string): void;
  /** What another process said of it. */
  of(channel: string): Promise<Rest | undefined>;
  /** Undefined: another process found it back. */
  follow(heard: (channel: string, rest: Rest | undefined) => void): void;
}
