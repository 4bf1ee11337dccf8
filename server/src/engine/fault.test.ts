import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FAULT_CODES, FAULT_STATUS } from './fault.ts';

const documented = new Map(
  readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, code, status, meaning, remedy] = /^\| `(\w+)` \| (\d+) \| (.+) \| (.+) \|$/.exec(line) ?? [];
      return code && meaning && remedy ? [[code, Number(status)] as const] : [];
    }),
);

test.each(FAULT_CODES)('%s is documented with its status, its meaning and what to do', (code) => {
  expect(documented.get(code)).toBe(FAULT_STATUS[code]);
});

test('every documented code is real', () => {
  expect([...documented.keys()].sort()).toEqual([...FAULT_CODES].sort());
});
