import { expect, test } from 'vitest';
import { excerpts, normal, SHOWN } from '../clients/refusals-doc.ts';

test('the page of refusals shows every client in every situation that is tested, and no other', () => {
  const shown = excerpts().map(({ client, situation }) => `${client} ${situation}`);
  const tested = Object.entries(SHOWN).flatMap(([client, situations]) => situations.map((one) => `${client} ${one}`));
  expect(shown.toSorted()).toEqual(tested.toSorted());
});

test('each excerpt says something', () => {
  for (const { client, situation, lines } of excerpts()) expect(lines, `${client} ${situation}`).not.toEqual([]);
});

test('an excerpt is compared without what varies from run to run', () => {
  const printed =
    'a 1.2 was published 3 days ago; the cooldown "x" admits it from 2026-11-28 12:00 UTC. Its index dates it 2026-11-21 12:00 UTC. Use';
  expect(normal(`\u001b[31m${printed}\u001b[0m\n  http://127.0.0.1:4242/team/`, 'http://127.0.0.1:4242')).toBe(
    'a 1.2 <dated>; the cooldown "x" <verdict>. Use https://registry.test/team/',
  );
});
