import { setImmediate } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import type { Upload } from '../../store/store.ts';
import type { ArtifactTarget } from '../format.ts';
import { ContentSums, type SumDeps } from './sums.ts';

const TARGET: ArtifactTarget = { kind: 'artifact', path: 'a.zip', name: 'a', version: '1', role: 'package' };
const record = (database: string) =>
  ({ kind: 'index', path: `${database}/a`, scope: 'repository', view: 'record' }) as const;

test('a database that does not answer holds a file up for seconds, not for ever', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const asked: string[] = [];
    const sums = new ContentSums({
      settings: { name: 'remote' },
      format: {
        sums: { prefix: 'sums/', database: () => 'sums/one', record: (_: unknown, one: string) => record(one) },
      },
      objects: {
        page: async (_repository: string, _limit: number, after?: string) => (after ? [] : [{ path: 'sums/one/x' }]),
      },
      document: ({ path }: { path: string }) => {
        asked.push(path);
        return new Promise(() => {});
      },
    } as unknown as SumDeps);
    let kept = false;
    const keeping = sums.keep(TARGET, {} as Upload, async () => {
      kept = true;
      return 'row';
    });
    while (asked.length === 0) await setImmediate();
    expect({ asked, kept }).toEqual({ asked: ['sums/one/a'], kept: false });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await keeping).toBe('row');
  } finally {
    vi.useRealTimers();
  }
});
