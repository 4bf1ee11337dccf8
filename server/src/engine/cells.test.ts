import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { Counts, Timings } from './cells.ts';

test('a count is shown by its labels, also before anything was counted', async () => {
  const registry = new Registry();
  const counts = new Counts(registry, { name: 'pulls_total', help: 'Pulls.', labels: ['repository', 'result'] });
  expect(await registry.metrics()).toBe('# HELP pulls_total Pulls.\n# TYPE pulls_total counter\n');
  counts.of({ repository: 'npm', result: 'hit' }).inc();
  counts.of({ result: 'hit', repository: 'npm' }).inc(2);
  counts.of({ repository: 'a"b\\', result: 'miss' }).inc();
  expect((await registry.metrics()).split('\n').slice(2, 4)).toEqual([
    'pulls_total{repository="npm",result="hit"} 3',
    'pulls_total{repository="a\\"b\\\\",result="miss"} 1',
  ]);
});

test('a count without labels is 0 from the beginning', async () => {
  const registry = new Registry();
  new Counts<never>(registry, { name: 'bytes_total', help: 'Bytes.', labels: [] });
  expect(await registry.metrics()).toContain('\nbytes_total 0');
});

test('each bucket counts all that took no longer', async () => {
  const registry = new Registry();
  const declared = { name: 'took_seconds', help: 'Time.', labels: ['kind'] } as const;
  const timing = new Timings(registry, declared, [0.1, 1]).of({ kind: 'x' });
  for (const seconds of [0.05, 0.1, 0.5, 20]) timing.observe(seconds);
  expect((await registry.metrics()).trim().split('\n')).toEqual([
    '# HELP took_seconds Time.',
    '# TYPE took_seconds histogram',
    'took_seconds_bucket{kind="x",le="0.1"} 2',
    'took_seconds_bucket{kind="x",le="1"} 3',
    'took_seconds_bucket{kind="x",le="+Inf"} 4',
    'took_seconds_sum{kind="x"} 20.65',
    'took_seconds_count{kind="x"} 4',
  ]);
});
