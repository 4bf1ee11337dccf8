import type { Random } from '../random.ts';
import type { Session } from '../session.ts';
import type { Part } from '../weather.ts';

/** Something that goes wrong for a while. */
export interface Fault {
  /** As it is told: `the upstream hangs`. */
  readonly name: string;
  /** What may fail meanwhile. */
  readonly breaks: readonly Part[];
  /** The only server that it is about; absent: all. */
  readonly server?: number;
  /** Part of the servers' health that has to say so. */
  readonly shows?: string;
  /** Shortest and longest time it lasts, in milliseconds; absent: it is over as soon as it is done. */
  readonly lasts?: readonly [number, number];
  /** How long after its end what it broke may still be broken, in milliseconds. */
  readonly settles: number;
  /** Makes it so; resolves to what ends it. */
  begin(): Promise<() => Promise<void>>;
}

export interface Kind {
  readonly weight: number;
  /** No two of one group at a time. */
  readonly group: string;
  /** Undefined: there is nothing to do it to now. */
  make(session: Session, random: Random): Fault | undefined;
}

export const OVER = async (): Promise<void> => {};
