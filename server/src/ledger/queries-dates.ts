import type { EntityManager } from 'typeorm';
import { type Insertion, insertRows, parameter } from './bulk.ts';
import type { FileDate } from './ledger.ts';

interface DateRow extends FileDate {
  readonly repository: string;
  readonly upstream: string;
}

const COLUMNS: Insertion<DateRow>['columns'] = {
  repository: (row) => row.repository,
  path: (row) => row.path,
  upstream: (row) => row.upstream,
  modified_at: (row) => row.at,
};

/** Few enough parameters for either database. */
const AT_ONCE = 500;

export async function fileDates(
  manager: EntityManager,
  repository: string,
  upstream: string,
  paths: readonly string[],
): Promise<FileDate[]> {
  const found: FileDate[] = [];
  for (let from = 0; from < paths.length; from += AT_ONCE) {
    const some = paths.slice(from, from + AT_ONCE);
    const markers = some.map((_, at) => parameter(manager, at + 3)).join(', ');
    const rows = await manager.query<{ path: string; modified_at: number | string }[]>(
      `SELECT "path", "modified_at" FROM "file_date"
       WHERE "repository" = ${parameter(manager, 1)} AND "upstream" = ${parameter(manager, 2)} AND "path" IN (${markers})`,
      [repository, upstream, ...some],
    );
    found.push(...rows.map(({ path, modified_at: at }) => ({ path, at: Number(at) })));
  }
  return found;
}

/** What was said first stays: a file that is younger now is another file. */
export async function recordFileDates(
  manager: EntityManager,
  repository: string,
  upstream: string,
  dates: readonly FileDate[],
): Promise<void> {
  const rows = [...new Map(dates.map((date) => [date.path, { repository, upstream, ...date }])).values()];
  await insertRows(manager, { table: 'file_date', columns: COLUMNS, rows, conflict: 'ON CONFLICT DO NOTHING' });
}
