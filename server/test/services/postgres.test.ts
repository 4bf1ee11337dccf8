import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ledgerContract } from '../../src/ledger/ledger.contract.ts';
import { openPostgresLedger } from '../../src/ledger/postgres.ts';
import { type PostgresServer, postgresMissing, startPostgres, statement } from '../support/postgres.ts';

const missing = postgresMissing();

/** Where continuous integration runs, a missing server is a failure; elsewhere the suite says why it did not run. */
describe.skipIf(missing !== undefined && process.env['CI'] !== 'true')(`on PostgreSQL ${missing ?? ''}`, () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.stop());

  ledgerContract('PostgreSQL', async () => {
    const url = await server.database();
    const ledger = await openPostgresLedger(url, { connections: 4 });
    return {
      ledger,
      rows: (text) => statement(url, text) as Promise<never[]>,
      again: () => openPostgresLedger(url, { connections: 4 }),
      close: () => ledger.close(),
    };
  });

  describe('the database', () => {
    test('is set up once by replicas that start together', async () => {
      const url = await server.database();
      const ledgers = await Promise.all([1, 2, 3, 4].map(() => openPostgresLedger(url, { connections: 2 })));
      for (const ledger of ledgers) {
        await ledger.check();
        await ledger.close();
      }
    });

    test('of a newer program is refused', async () => {
      const url = await server.database();
      await (await openPostgresLedger(url)).close();
      await statement(url, `INSERT INTO schema_migration (timestamp, name) VALUES (2, 'Later2')`);
      await expect(openPostgresLedger(url)).rejects.toMatchObject({
        name: 'LedgerError',
        message: expect.stringMatching(/newer Entrepot .*"Later2"/),
      });
    });

    test.each([
      [
        'a server that is not there',
        () => 'postgres://me:secret@127.0.0.1:1/x',
        /me@127\.0\.0\.1:1\/x does not answer/,
      ],
      ['a host that has no address', () => 'postgres://me:secret@nowhere.invalid/x', /does not resolve/],
      ['a URL that is none', () => 'postgres//me:secret', /not one/],
    ])('%s is named, its password is not', async (_, url, message) => {
      const refused = openPostgresLedger(url());
      await expect(refused).rejects.toMatchObject({ name: 'LedgerError', message: expect.stringMatching(message) });
      await expect(refused).rejects.toMatchObject({ message: expect.not.stringContaining('secret') });
    });

    test('that does not exist, or whose server ended, is named', async () => {
      const url = await server.database();
      await expect(openPostgresLedger(`${url}x`)).rejects.toThrow(/does not exist on that server: create it first/);
      const ledger = await openPostgresLedger(url, { connections: 2 });
      await statement(url.replace(/[^/]+$/, 'postgres'), `DROP DATABASE "${url.split('/').at(-1)}" WITH (FORCE)`);
      await expect(ledger.check()).rejects.toMatchObject({ name: 'LedgerError' });
      await expect(ledger.check()).rejects.toThrow(/does not exist/);
      await ledger.close();
    });
  });
});
