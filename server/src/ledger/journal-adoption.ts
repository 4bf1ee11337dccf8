import { JournalLoader } from './journal-loader.ts';
import { adoptSegments } from './journal-segment.ts';
import type { Ledger } from './ledger.ts';

export interface Adoption {
  /** Nobody writes there any more. */
  readonly dir: string;
  /** Where lines that are no pulls go. */
  readonly rejected: string;
  readonly ledger: Pick<Ledger, 'loadJournal' | 'journalPositions' | 'forgetJournal'>;
  readonly onFailure: (error: Error) => void;
  readonly busy: () => boolean;
}

/**
 * Takes what a process that is gone left in its folder into the ledger, and removes it; resolves to how many rows there were.
 * Rows that are in the ledger already are not added again. Rejects when the ledger cannot take them now.
 */
export async function adoptFolder({ dir, rejected, ledger, onFailure, busy }: Adoption): Promise<number> {
  const loader = new JournalLoader(ledger, rejected, onFailure, busy);
  try {
    loader.adopt(await adoptSegments(dir, await ledger.journalPositions(), 'all'));
    const rows = loader.lag;
    await loader.drain();
    return rows;
  } finally {
    await loader.close();
  }
}
