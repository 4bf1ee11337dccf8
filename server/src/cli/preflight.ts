import { type Client, CommandError } from './client.ts';
import type { Printed } from './commands.ts';
import type { Pin, Skipped } from './lockfiles/pins.ts';
import type { LockFile } from './lockfiles/read.ts';
import { table } from './print.ts';

/** What the server says of a pin. */
export interface Verdict {
  readonly purl: string;
  readonly allowed: boolean;
  readonly rule?: string;
  readonly reason?: string;
  /** RFC 3339: when it becomes admissible, or for what is allowed, when that ends. */
  readonly until?: string;
  /** The nearest release that is admissible now. */
  readonly nearest?: string;
}

export interface Asked {
  /** Of the lock file, as the user wrote it. */
  readonly file: string;
  readonly repository?: string | undefined;
  /** Show also what is allowed without more. */
  readonly all?: boolean | undefined;
}

export interface Outcome extends Printed {
  readonly refused: number;
}

/** Asks what policy says of every pin. Throws `CommandError` when the server does not say it of each. */
export async function preflight(client: Client, lock: LockFile, asked: Asked): Promise<Outcome> {
  const verdicts = new Map<string, Verdict>();
  for (const pins of batches(lock.pins)) {
    const body = { ...(asked.repository === undefined ? {} : { repository: asked.repository }), pins };
    const answer = await client.json<unknown>('api/v2/preflight', { method: 'POST', body });
    for (const verdict of verdictsOf(answer)) verdicts.set(verdict.purl, verdict);
  }
  const items = lock.pins.map((pin) => ({ ...pin, ...verdictOn(verdicts, pin) }));
  const refused = items.filter(({ allowed }) => !allowed).length;
  const { kind, skipped } = lock;
  return {
    refused,
    data: { file: asked.file, kind, repository: asked.repository, refused, items, skipped },
    text: report(items, skipped, asked),
  };
}

/** A request's body is at most a megabyte. */
const CHARACTERS_A_REQUEST = 500_000;

function* batches(pins: readonly Pin[]): Iterable<readonly string[]> {
  let batch: string[] = [];
  let characters = 0;
  for (const { purl } of pins) {
    if (batch.length > 0 && characters + purl.length > CHARACTERS_A_REQUEST) {
      yield batch;
      batch = [];
      characters = 0;
    }
    batch.push(purl);
    characters += purl.length;
  }
  if (batch.length > 0) yield batch;
}

function verdictsOf(answer: unknown): readonly Verdict[] {
  const items: unknown = (answer as { items?: unknown } | null)?.items;
  if (!Array.isArray(items)) throw new CommandError('the answer has no "items": is that Entrepot?');
  return items.filter(
    (item): item is Verdict => typeof item?.purl === 'string' && typeof (item as Verdict).allowed === 'boolean',
  );
}

/** What nothing is said of is not allowed by silence. */
function verdictOn(verdicts: ReadonlyMap<string, Verdict>, { purl }: Pin): Verdict {
  const verdict = verdicts.get(purl);
  if (verdict === undefined) throw new CommandError(`the server said nothing about ${purl}`);
  return verdict;
}

type Item = Pin & Verdict;

function report(items: readonly Item[], skipped: readonly Skipped[], { file, all }: Asked): string {
  const refused = items.filter(({ allowed }) => !allowed);
  const allowed = items.filter((item) => item.allowed);
  const remarkable = allowed.filter(({ reason, until }) => reason !== undefined || until !== undefined);
  const shown = [...refused, ...(all ? allowed : remarkable)];
  const pins = items.length === 1 ? 'pin' : 'pins';
  const rest = skipped.length === 0 ? '' : `; ${skipped.length} not asked about`;
  return [
    shown.length === 0
      ? ''
      : `${table(['WHAT', 'LINE', 'VERDICT', 'WHY', 'ADMISSIBLE FROM', 'INSTEAD'], shown.map(row))}\n`,
    skipped.length === 0
      ? ''
      : `${table(
          ['NOT ASKED ABOUT', 'LINE', 'BECAUSE IT IS'],
          skipped.map(({ what, line, reason }) => [what, line, reason]),
        )}\n`,
    `${file}: ${items.length} ${pins}, ${allowed.length} allowed, ${refused.length} refused${rest}\n`,
  ].join('');
}

function row({ purl, only, line, allowed, reason, rule, until, nearest }: Item): (string | number | undefined)[] {
  const what = only === undefined ? purl : `${purl} (${only})`;
  return [what, line, allowed ? 'allowed' : 'refused', reason ?? rule, allowed ? undefined : until, nearest];
}
