import { expect, test } from 'vitest';
import { LedgerError } from '../ledger/ledger.ts';
import { StoreError } from '../store/store.ts';
import { startupFailure } from './startup-failure.ts';

const where = { listen: { host: '127.0.0.1', port: 80 }, data: '/srv/data' };
const failed = (code: string, extra: object = {}) => Object.assign(new Error(`${code}: oh`), { code, ...extra });

test.each([
  [failed('EADDRINUSE'), 'cannot listen on 127.0.0.1:80: something else does already'],
  [failed('EADDRNOTAVAIL'), 'this machine has no such address (EADDRNOTAVAIL)'],
  [failed('EACCES', { syscall: 'listen' }), 'set ENTREPOT_LISTEN to a port above 1023'],
  [failed('EACCES', { syscall: 'open' }), 'cannot write /srv/data (EACCES): make the folder writable'],
  [failed('EROFS'), 'cannot write /srv/data (EROFS)'],
  [failed('ENOSPC'), 'no space left for /srv/data (ENOSPC)'],
  [new LedgerError('the file x is damaged'), 'the file x is damaged'],
  [new StoreError('full', 'no space left'), 'no space left'],
  [new Error('/srv/data is in use by somebody'), '/srv/data is in use by somebody'],
])('%s is told with what to do', (error, expected) => {
  const line = startupFailure(error, where);
  expect(line).toContain(expected);
  expect(line).not.toContain('\n');
});

test('what nobody foresaw keeps its stack', () => {
  expect(startupFailure(new TypeError('x is undefined'), where)).toContain('startup-failure.test');
});
