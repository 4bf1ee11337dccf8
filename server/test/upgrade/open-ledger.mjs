import { openPostgresLedger } from '../../dist/ledger/postgres.js';
import { openSqliteLedger } from '../../dist/ledger/sqlite.js';

const where = process.argv[2] ?? '';
await (await (where.startsWith('postgres:') ? openPostgresLedger(where) : openSqliteLedger(where))).close();
