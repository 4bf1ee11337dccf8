import { Fault } from './fault.ts';
import type { Source } from './source.ts';

export interface Member {
  readonly name: string;
  readonly source: Source;
}

/** The repositories behind one URL, in the order in which they are asked. */
export class Members {
  constructor(
    readonly virtual: string,
    readonly list: readonly Member[],
  ) {}

  /** What the first has that has it. A member that cannot say stops the search. */
  async first<Found>(look: (member: Member) => Promise<Found>, what: string): Promise<Found> {
    for (const member of this.list) {
      const found = await this.ifAny(member, async () => ({ found: await look(member) }));
      if (found) return found.found;
    }
    throw this.none(what);
  }

  /** Says which member a failure came from; `withheld` stays what it is: the name is owned, and refused. */
  async of<Found>(member: Member, look: () => Promise<Found>): Promise<Found> {
    try {
      return await look();
    } catch (error) {
      if (!(error instanceof Fault) || error.details['member'] !== undefined) throw error;
      throw new Fault(error.code, error.message, { cause: error, details: { ...error.details, member: member.name } });
    }
  }

  /** Undefined when the member says that it has none. */
  async ifAny<Found>(member: Member, look: () => Promise<Found>): Promise<Found | undefined> {
    try {
      return await this.of(member, look);
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  none(what: string): Fault {
    return new Fault('not_found', `No member of "${this.virtual}" has ${what}.`);
  }
}

export function isAbsent(error: unknown): boolean {
  return error instanceof Fault && error.code === 'not_found';
}
