import { expect, test } from 'vitest';
import { Fault, type FaultDetails } from '../fault.ts';
import { textOf } from './refusal-text.ts';

const REASON = 'lodash 4.18.0 was published 2 days ago; the cooldown "week" admits it from 2026-11-28 12:00 UTC.';
const HELP = 'For an exemption ask whoever runs this registry; more: entrepot explain pkg:npm/lodash@4.18.0';
const DETAILS: FaultDetails = {
  rule: 'cooldown/week',
  evidence: { source: 'server', at: Date.UTC(2026, 10, 21, 12) },
  nearest: '4.17.21',
  decision: '019a',
  help: HELP,
};

const refusal = (message: string, details: FaultDetails = DETAILS) =>
  textOf(new Fault('withheld', message, { details }));

test('a refusal says why, by what it was judged, what to use instead and whom to ask', () => {
  const { whole, header, line } = refusal(REASON);
  const dated = 'Its index dates it 2026-11-21 12:00 UTC.';
  const use = 'Nearest admissible version: 4.17.21.';
  expect(whole).toBe(`${REASON} ${dated} ${use} Decision 019a. ${HELP}`);
  expect(header).toBe(whole);
  expect(line).toBe(`${REASON} ${dated} ${use} ${HELP}`);
});

test.each([
  ['last-modified', 'Its Last-Modified is 2026-11-21 12:00 UTC.'],
  ['author', 'Its author dates it 2026-11-21 12:00 UTC.'],
  ['first-seen', 'It was first seen here on 2026-11-21 12:00 UTC.'],
] as const)('says who dates it: %s', (source, says) => {
  expect(refusal('No.', { evidence: { source, at: Date.UTC(2026, 10, 21, 12) } }).whole).toBe(`No. ${says}`);
});

test.each(['none', 'baseline'] as const)('says nothing of a date that nobody gives: %s', (source) => {
  expect(refusal('No.', { evidence: { source } }).whole).toBe('No.');
});

test('what does not fit into a status line is left out whole', () => {
  const long = (length: number) => `${'x'.repeat(length - 1)}.`;
  expect(refusal(long(200)).line).toBe(`${long(200)} Nearest admissible version: 4.17.21. ${HELP}`);
  expect(refusal(long(250)).line).toBe(`${long(250)} Nearest admissible version: 4.17.21.`);
  expect(refusal(long(340)).line).toBe(long(340));
  expect(refusal(long(500)).line).toBe(long(500).slice(0, 350));
  expect(refusal(long(5000)).header).toHaveLength(1500);
});

test('nothing that is said can end a line', () => {
  const { whole, header, line } = refusal('no\r\nSet-Cookie: x=1', { nearest: '1\r\n2', help: 'caf\u00e9\n' });
  for (const text of [whole, header, line]) expect(text).toMatch(/^[\x20-\x7e]+$/);
});

test('another fault says what went wrong and no more', () => {
  const { whole, header, line } = textOf(new Fault('not_found', 'There is none: caf\u00e9.', { details: DETAILS }));
  expect(whole).toBe('There is none: caf\u00e9.');
  expect([header, line]).toEqual(['There is none: caf .', 'There is none: caf .']);
});
