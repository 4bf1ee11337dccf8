import { LedgerError, RevisionConflict } from './ledger.ts';

/** Where the database is, for messages: a file, or a server without its password. */
export interface Whereabouts {
  readonly name: string;
  readonly kind: 'sqlite' | 'postgres';
}

/** What a driver's error means to whoever runs the server. `RevisionConflict` and `LedgerError` pass. */
export function ledgerFailure(error: unknown, where: Whereabouts): Error {
  if (error instanceof LedgerError || error instanceof RevisionConflict) return error;
  const code = codeOf(error);
  const advice = (where.kind === 'sqlite' ? SQLITE : POSTGRES).find(([pattern]) => pattern.test(code))?.[1];
  const what = advice ?? (error instanceof Error ? error.message : String(error));
  const noun = where.kind === 'sqlite' ? 'database file' : 'database';
  return new LedgerError(
    `${noun} ${where.name} ${advice ? '' : 'failed: '}${what}${code && advice ? ` (${code})` : ''}`,
    {
      cause: error,
    },
  );
}

const SQLITE: readonly (readonly [RegExp, string])[] = [
  [
    /^SQLITE_(NOTADB|CORRUPT)/,
    'is damaged: stop Entrepot, move it away with its -wal and -shm files, and restore a backup or start anew',
  ],
  [/^SQLITE_(BUSY|LOCKED)/, 'is locked by another process: is another Entrepot running on this data folder?'],
  [
    /^SQLITE_READONLY|^EACCES|^EROFS|^EPERM/,
    'cannot be written: make the file and its folder writable for the user that runs Entrepot',
  ],
  [
    /^SQLITE_(CANTOPEN|NOTFOUND)|^ENOTDIR|^ENOENT|^EEXIST/,
    'cannot be opened: check that its folder exists and is writable',
  ],
  [/^SQLITE_FULL|^ENOSPC|^EDQUOT/, 'cannot grow, the disk is full: free space or enlarge the volume'],
  [/^SQLITE_IOERR|^EIO/, 'cannot be read or written, the disk reports an error: check the volume'],
];

const POSTGRES: readonly (readonly [RegExp, string])[] = [
  [
    /^(ECONNREFUSED|ENOENT|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT)$/,
    'does not answer: check that PostgreSQL runs there and ENTREPOT_DATABASE_URL',
  ],
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'has a host name that does not resolve: check ENTREPOT_DATABASE_URL'],
  [/^28/, 'refuses user or password: check ENTREPOT_DATABASE_URL'],
  [/^3D000$/, 'does not exist on that server: create it first'],
  [/^42501$/, 'refuses this user the rights Entrepot needs: let it create tables, or give it the schema'],
  [/^53100$/, 'has no disk left: free space on its server or enlarge the volume'],
  [/^53200$/, 'has run out of memory'],
  [/^53300$/, 'has no connections left: raise max_connections, or lower the number of processes that use it'],
  [/^57014$/, 'takes too long to answer: is it overloaded, or does something hold a lock for long?'],
  [/^(58030|XX001|XX002)$/, 'is damaged or cannot read its disk: its own log says more; restore a backup'],
  [/^57P/, 'is shutting down or starting up'],
  [/^25006$/, 'is read-only: connect to the primary'],
];

/** Of the driver's error, which TypeORM may have wrapped. */
export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  if ('driverError' in error) return codeOf(error.driverError);
  if ('code' in error && typeof error.code === 'string') return error.code;
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return error instanceof Error && UNCODED.test(error.message) ? 'ECONNRESET' : '';
}

/** What PostgreSQL's driver says without a code when a connection breaks off or none comes about in time. */
const UNCODED = /^(Connection terminated|timeout exceeded when trying to connect|Client (has encountered|was closed))/;
