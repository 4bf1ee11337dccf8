import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { terraformSuite } from './support/suite.ts';

const page = readFileSync(new URL('../../docs/policy.md', import.meta.url), 'utf8');
/** As a reader would write them: what ends does so tomorrow. */
const blocks = [...page.matchAll(/^```hcl\n([\s\S]*?)^```$/gm)].map(([, text = '']) =>
  text.replaceAll(/(?<=expires_at\s+= ")[^"]+/g, new Date(Date.now() + 86_400_000).toISOString()),
);
const resources = blocks.flatMap((text) => [...text.matchAll(/^resource "(\w+)" "(\w+)"/gm)]);

const suite = terraformSuite();

test('the page on policy shows each kind of rule in Terraform, and each block is valid by itself', async () => {
  expect(new Set(resources.map(([, kind]) => kind))).toEqual(
    new Set(['entrepot_cooldown', 'entrepot_block', 'entrepot_freeze', 'entrepot_exemption', 'entrepot_remote']),
  );
  const workspace = suite.workspace();
  for (const text of blocks) {
    workspace.write(text);
    await workspace.succeed('validate', '-no-color');
  }
});

test('what the page shows is applied as it stands, planned again with nothing to do, and destroyed', async () => {
  const workspace = suite.workspace();
  workspace.write(blocks.join('\n'));
  expect(await workspace.apply()).toContain(`${resources.length} added, 0 changed, 0 destroyed`);
  expect(await workspace.pending()).toBe('');
  expect(await workspace.destroy()).toContain(`${resources.length} destroyed`);
});
