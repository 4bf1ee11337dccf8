import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { formats } from '../formats/all.ts';
import { policyPage } from './formats-page.ts';

const described = formats.map(({ id, traits }) => ({ id, ...traits }));
const page = readFileSync(new URL('../../../docs/policy.md', import.meta.url), 'utf8');

test('the page on policy says of every format what dates its releases', () => {
  expect(page).toBe(policyPage(page, described));
  for (const { id, title } of described) expect(page).toContain(`| ${title} (\`${id}\`) | `);
});

test('a page with no place for the table is an error, not a page without it', () => {
  expect(() => policyPage('# Policy\n', described)).toThrow('<!-- evidence -->');
});
