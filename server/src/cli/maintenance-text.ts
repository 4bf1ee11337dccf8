import { size } from './print.ts';

interface Made {
  readonly made_at: string;
  readonly database: { readonly rows: Readonly<Record<string, number>> };
  readonly blobs: {
    readonly count: number;
    readonly bytes: number;
    readonly only: number;
    readonly only_bytes: number;
  };
  readonly secrets: readonly string[];
}

interface Completed {
  readonly blobs: { readonly count: number; readonly bytes: number };
  readonly missing: readonly string[];
}

interface Restored {
  readonly manifest: Made & { readonly program: string };
  readonly blobs: number;
  readonly aside: string | undefined;
  readonly needsKey: boolean;
  readonly report: Report;
}

interface Moved {
  readonly tables: readonly { readonly rows: number }[] | undefined;
  readonly blobs:
    | {
        readonly copied: number;
        readonly bytes: number;
        readonly there: number;
        readonly lost: readonly string[];
        readonly damaged: readonly string[];
      }
    | undefined;
  readonly report: Report;
  readonly places: { readonly database_url: string; readonly storage_url: string };
}

interface Report {
  readonly blobs: number;
  readonly bytes: number;
  readonly missing: readonly Missing[];
}

interface Missing {
  readonly digest: string;
  readonly size: number;
  readonly found?: number | undefined;
  readonly fetchable: boolean;
  readonly objects: readonly { readonly repository: string; readonly path: string }[];
}

/** Lines of published files that are named; the rest is counted. */
const NAMED = 50;

export function backupText(file: string, bytes: number, manifest: Made, { blobs, missing }: Completed): string {
  const { count, only } = manifest.blobs;
  const left = count - blobs.count - missing.length;
  const lines = [
    `${file}, ${size(bytes)}: ${holds(manifest)}; read, and whole`,
    blobs.count > 0 ? `${counted(blobs.count, 'blob')} in it, ${size(blobs.bytes)}` : '',
    left > 0
      ? `${counted(left, 'blob')} not in it; a backup of the storage keeps them${only > 0 && blobs.count === 0 ? `, and of ${only} there is no upstream: --with-blobs hosted takes those along` : ''}`
      : '',
    missing.length > 0 ? `${counted(missing.length, 'blob')} missing in the store: entrepot verify says which` : '',
    manifest.secrets.length > 0
      ? `It holds ${manifest.secrets.join(' and ')}: keep it as you keep those.`
      : 'Without admin-token and secret-key of the data folder: keep those elsewhere, or take them along with --with-secrets.',
  ];
  return `${lines.filter(Boolean).join('\n')}\n`;
}

export function restoreText(data: string, { manifest, blobs, aside, needsKey, report }: Restored): string {
  const lines = [
    `${data} is as it was at ${manifest.made_at}: ${holds(manifest)}`,
    blobs > 0 ? `${counted(blobs, 'blob')} put into the store` : '',
    aside === undefined ? '' : `what was there is in ${aside}`,
    ...missingLines(report),
    needsKey
      ? 'The secret key of that time is not here, and no server starts without it: put it into secret-key in the data folder, or set secret_key; if nobody has it any more, restore with --new-keys.'
      : '',
  ];
  return `${lines.filter(Boolean).join('\n')}\n`;
}

export function movedText({ tables, blobs, report, places }: Moved): string {
  const rows = tables?.reduce((sum, table) => sum + table.rows, 0) ?? 0;
  const lines = [
    tables
      ? `${counted(rows, 'row')} of ${counted(tables.length, 'table')} copied, read again on both sides, and the same`
      : '',
    blobs ? `${counted(blobs.copied, 'blob')} copied, ${size(blobs.bytes)}; ${blobs.there} were there` : '',
    blobs && blobs.lost.length > 0 ? `${counted(blobs.lost.length, 'blob')} missing where it was moved from` : '',
    blobs && blobs.damaged.length > 0
      ? `${counted(blobs.damaged.length, 'blob')} damaged where it was moved from, and not copied`
      : '',
    ...missingLines(report),
    'From now on:',
    `  database_url: ${places.database_url}`,
    `  storage_url: ${places.storage_url}`,
  ];
  return `${lines.filter(Boolean).join('\n')}\n`;
}

/** Those that nobody has by name, the others as a number. */
export function missingLines({ blobs, bytes, missing }: Report): string[] {
  const lost = missing.filter(({ fetchable }) => !fetchable);
  const again = missing.length - lost.length;
  const named = lost.flatMap(({ objects, size: expected, found }) =>
    objects.map(
      ({ repository, path }) =>
        `  ${repository}/${path}${found === undefined ? '' : ` (${found} bytes of ${expected})`}`,
    ),
  );
  return [
    `${counted(blobs, 'blob')} referred to, ${size(bytes)}; ${missing.length === 0 ? 'all there' : `${missing.length} missing`}`,
    again > 0 ? `${counted(again, 'blob')} will be fetched again when somebody asks` : '',
    ...(lost.length > 0 ? [`${counted(lost.length, 'blob')} that no upstream has:`, ...named.slice(0, NAMED)] : []),
    named.length > NAMED ? `  and ${named.length - NAMED} more: --json lists all` : '',
  ].filter(Boolean);
}

function holds({ database: { rows } }: Made): string {
  return [
    counted(rows['resource'] ?? 0, 'resource'),
    counted(rows['object'] ?? 0, 'object'),
    counted(rows['pull'] ?? 0, 'pull'),
  ].join(', ');
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
