import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { AccessLog, hitMembers } from './access-log.ts';

beforeEach(() => void vi.useFakeTimers({ now: Date.UTC(2026, 4, 11, 12) }));
afterEach(() => void vi.useRealTimers());

const members = hitMembers('/npm/a/-/a-1.0.0.tgz?token=x', { repository: 'npm', format: 'npm', kind: 'artifact' });
const asker = { now: 0, requestId: 'run-1', principal: 'anonymous', client: 'npm/11 "quoted"', address: '::1' };
const hit = { asker, method: 'GET', status: 200, result: 'hit', bytes: 7, milliseconds: 0.0405, members };

test('an answer out of memory has a line of the same fields as any other', () => {
  const written: string[] = [];
  const log = new AccessLog((lines) => void written.push(lines), Date.now);
  log.hit(hit);
  log.hit({ ...hit, milliseconds: 12.9999, asker: { ...asker, requestId: 'run-2', consumer: 'ci' } });
  log.flush();
  expect(
    written
      .join('')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([
    {
      level: 'info',
      time: '2026-05-11T12:00:00.000Z',
      msg: 'request',
      request_id: 'run-1',
      method: 'GET',
      url: '/npm/a/-/a-1.0.0.tgz?token=****',
      repository: 'npm',
      format: 'npm',
      kind: 'artifact',
      status: 200,
      bytes: 7,
      duration_ms: 0.04,
      result: 'hit',
      principal: 'anonymous',
      client: 'npm/11 "quoted"',
      address: '::1',
    },
    expect.objectContaining({ request_id: 'run-2', duration_ms: 12.999, consumer: 'ci' }),
  ]);
});

test('lines are written some at a time, at once when there are many, and nothing is written when there are none', () => {
  const written: string[] = [];
  const log = new AccessLog((lines) => void written.push(lines), Date.now);
  log.hit(hit);
  log.hit(hit);
  expect(written).toEqual([]);
  vi.advanceTimersByTime(100);
  expect(written.map((lines) => lines.split('\n').length - 1)).toEqual([2]);
  vi.advanceTimersByTime(10_000);
  for (let i = 0; i < 400; i++) log.hit(hit);
  const atOnce = written.length;
  expect(atOnce).toBeGreaterThan(1);
  log.flush();
  log.flush();
  expect(written.length).toBe(atOnce + 1);
  expect(written.join('').trimEnd().split('\n').length).toBe(402);
  expect(vi.getTimerCount()).toBe(0);
});
