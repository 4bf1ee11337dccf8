import type { Contents } from './contents.ts';

export interface Publication {
  readonly repository: string;
  /** Below the server's root. */
  readonly path: string;
  readonly contents: Contents;
  readonly name: string;
  readonly version: string;
  /** Undefined: nobody knows whether it was taken. */
  acknowledgedAt?: number;
}

/** What was published here, and what may have been. */
export class Publications {
  readonly all: Publication[] = [];

  get acknowledged(): readonly Publication[] {
    return this.all.filter(({ acknowledgedAt }) => acknowledgedAt !== undefined);
  }
}
