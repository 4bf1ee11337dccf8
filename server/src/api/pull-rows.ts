import { Readable } from 'node:stream';
import { PackageURL } from '@socketregistry/packageurl-js';
import { stringify } from 'csv-stringify';
import type { PullRow } from '../ledger/ledger.ts';

/** A pull as the management API shows it. */
export function shown(row: PullRow): Readonly<Record<string, unknown>> {
  const { package: name, version, requestId, at, id, verdict: _, ...rest } = row;
  const purl = purlOf(name, version);
  return {
    id,
    at: new Date(at).toISOString(),
    ...(purl === undefined ? {} : { purl }),
    ...rest,
    request_id: requestId,
  };
}

const COLUMNS = [
  ...['id', 'at', 'repository', 'format', 'purl', 'path', 'role', 'digest', 'size', 'member', 'upstream', 'cache'],
  ...['decision', 'rule', 'observed', 'principal', 'consumer', 'client', 'address', 'request_id', 'aborted'],
];

/** One object a line. */
export async function* ndjson(rows: AsyncIterable<PullRow>): AsyncIterable<string> {
  for await (const row of rows) yield `${JSON.stringify(shown(row))}\n`;
}

/**
 * RFC 4180 with a header. Callers choose some of the values (a path, a user agent): what a spreadsheet would take for a
 * formula is escaped.
 */
export function csv(rows: AsyncIterable<PullRow>): Readable {
  const lines = stringify({
    header: true,
    columns: COLUMNS,
    escape_formulas: true,
    record_delimiter: 'windows',
    cast: { boolean: String },
  });
  const source = Readable.from(mapped(rows));
  source.on('error', (error) => lines.destroy(error));
  lines.on('close', () => source.destroy());
  return source.pipe(lines);
}

async function* mapped(rows: AsyncIterable<PullRow>): AsyncIterable<Readonly<Record<string, unknown>>> {
  for await (const row of rows) yield shown(row);
}

function purlOf(name: string | undefined, version: string | undefined): string | undefined {
  if (name === undefined || version === undefined) return name;
  const { type, namespace, name: bare } = PackageURL.fromString(name);
  return new PackageURL(type, namespace, bare, version, undefined, undefined).toString();
}
