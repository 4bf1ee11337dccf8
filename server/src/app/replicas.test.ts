import { expect, onTestFinished, test, vi } from 'vitest';
import { MemoryCoordination } from '../coordination/memory.ts';
import { type Ledger, LedgerError } from '../ledger/ledger.ts';
import type { Resources } from './change.ts';
import { CONFIGURATION, Replicas } from './replicas.ts';
import { SharedChanges } from './shared-changes.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** A process that keeps in step, another that speaks, and what the first does. */
function started() {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
  const marks = { revision: 7, removals: 3 };
  const did: unknown[] = [];
  const ledger = { isAway: false };
  const coordination = new MemoryCoordination();
  const speaker = coordination.join();
  const resources = new Map([
    ['remote npm', { kind: 'remote', name: 'npm' }],
    ['virtual all', { kind: 'virtual', name: 'all' }],
    ['hosted own', { kind: 'hosted', name: 'own' }],
  ]) as unknown as Resources;
  const replicas = new Replicas({
    coordination,
    changes: new SharedChanges(coordination),
    ledger: {
      marks: async () => {
        if (ledger.isAway) throw new LedgerError('it is away');
        return { ...marks };
      },
    } satisfies Pick<Ledger, 'marks'>,
    configuration: { snapshot: { revision: 7, resources }, refresh: async (revision) => void did.push(revision) },
    engine: { evicted: (...what) => void did.push(['evicted', ...what]) },
    objects: { forget: (...what) => void did.push(['forgotten', ...what]) },
    log: silent,
  });
  onTestFinished(async () => {
    await replicas.close();
    vi.useRealTimers();
  });
  return { replicas, marks, did, ledger, speaker, pass: (ms: number) => vi.advanceTimersByTimeAsync(ms) };
}

test('what is declared is looked at twice a second, and at once when somebody says that it changed', async () => {
  const { did, marks, speaker, pass } = started();
  await pass(1100);
  expect(did).toEqual([7, 7]);
  marks.revision = 8;
  await speaker.publish(CONFIGURATION, { revision: 8 });
  await pass(1);
  expect(did).toEqual([7, 7, 8]);
});

test('what another process recorded is read anew; what it took away is forgotten with all that was made of it', async () => {
  const { did, speaker } = started();
  const of = [{ repository: 'npm', paths: ['a'] }];
  await speaker.publish('objects', { isGone: false, of });
  await speaker.publish('objects', { isGone: true, of: [...of, { repository: 'own', paths: 'all' }] });
  expect(did).toEqual([
    ['forgotten', 'npm', ['a']],
    ['evicted', 'npm', ['a']],
    ['evicted', 'own', 'all'],
  ]);
});

test('a removal of which nothing was heard is noticed within a second or so', async () => {
  const { did, marks, pass } = started();
  await pass(500);
  marks.removals += 1;
  did.length = 0;
  await pass(1100);
  expect(did).toEqual([7, 7, ['evicted', 'npm', 'all'], ['evicted', 'own', 'all']]);
});

test('who cannot look for half a minute says so, until he can', async () => {
  const { replicas, ledger, pass } = started();
  ledger.isAway = true;
  await pass(29_000);
  await replicas.check();
  await pass(2000);
  await expect(replicas.check()).rejects.toThrow(/^for 3\d s the ledger could not be asked/);
  ledger.isAway = false;
  await pass(600);
  await replicas.check();
});
