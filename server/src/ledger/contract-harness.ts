import type { Ledger } from './ledger.ts';

/** A ledger under test, and a look behind it where nothing of its interface shows yet what it keeps. */
export interface Harness {
  readonly ledger: Ledger;
  rows<Row>(statement: string): Promise<Row[]>;
  /** Another ledger on the same database. */
  again(): Promise<Ledger>;
  close(): Promise<void>;
}
