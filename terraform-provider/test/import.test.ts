import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hcl } from './support/hcl.ts';
import { schema } from './support/provider.ts';
import { terraformSuite } from './support/suite.ts';
import { unwrapped } from './support/terraform.ts';
import { BASE } from './support/variants.ts';

const suite = terraformSuite();

const spec = (name: string) => ({
  name,
  format: 'npm',
  url: 'https://upstream.test',
  index_ttl: '20m',
  patterns: ['^a', '^b'],
  timeouts: { idle: '10s' },
});
const block = (name: string): string => `
resource "entrepot_remote" "one" {
${Object.entries(spec(name))
  .map(([key, value]) => `  ${key} = ${hcl(value)}`)
  .join('\n')}
}`;

test('terraform import by name, then nothing is left to plan', async () => {
  const workspace = suite.workspace();
  await suite.management().put('remotes', spec('imported-command'));
  workspace.write(block('imported-command'));
  expect(await workspace.succeed('import', '-no-color', 'entrepot_remote.one', 'imported-command')).toContain(
    'Import successful',
  );
  expect(await workspace.pending()).toBe('');
});

test('an import block, then nothing is left to plan', async () => {
  const workspace = suite.workspace();
  await suite.management().put('remotes', spec('imported-block'));
  workspace.write(`${block('imported-block')}
import {
  to = entrepot_remote.one
  id = "imported-block"
}`);
  expect(await workspace.apply()).toContain('1 imported, 0 added, 0 changed, 0 destroyed');
  expect(await workspace.pending()).toBe('');
});

test.each(schema.kinds.map((kind) => [kind.kind, kind] as const))(
  'a generated configuration of a %s applies and changes nothing',
  async (_name, kind) => {
    const workspace = suite.workspace();
    await suite.management().put('remotes', { name: 'first-member', format: 'npm', url: 'https://upstream.test' });
    const name = `generated-${kind.kind}`;
    await suite.management().put(kind.collection, { ...BASE[kind.kind], name, labels: { team: 'platform' } });
    const before = await suite.management().get(kind.collection, name);
    workspace.write(`
import {
  to = entrepot_${kind.kind}.one
  id = "${name}"
}`);
    await workspace.succeed('plan', '-no-color', '-generate-config-out=generated.tf');
    expect(readFileSync(join(workspace.folder, 'generated.tf'), 'utf8')).toContain(`"${name}"`);
    expect(await workspace.apply()).toContain('1 imported, 0 added, 0 changed, 0 destroyed');
    expect(await workspace.pending()).toBe('');
    expect(await suite.management().get(kind.collection, name)).toEqual(before);
  },
);

test('importing what does not exist says so', async () => {
  const workspace = suite.workspace();
  workspace.write(block('imported-missing'));
  const text = unwrapped(await workspace.fail('import', 'entrepot_remote.one', 'imported-missing'));
  expect(text).toContain('There is no remote "imported-missing"');
  expect(text).toContain('The id of an import is the name of the remote');
});

test('creating what exists already ends with the import block to paste, which then works', async () => {
  const workspace = suite.workspace();
  await suite.management().put('remotes', spec('exists-already'));
  workspace.write(block('exists-already'));
  const text = await workspace.fail('apply', '-auto-approve');
  expect(text).toContain('on main.tf line 8, in resource "entrepot_remote" "one":');
  expect(unwrapped(text)).toContain('The remote "exists-already" exists already');
  const pasted = text.replace(/^│ ?/gm, '').match(/import \{[\s\S]*?\n {0,2}\}/)?.[0] ?? '';
  workspace.write(`${block('exists-already')}\n${pasted.replace(/to = .*/, 'to = entrepot_remote.one')}`);
  expect(await workspace.apply()).toContain('1 imported, 0 added, 0 changed');
  expect(await workspace.pending()).toBe('');
});

test('an import brings no secret: the configured one is sent once', async () => {
  const workspace = suite.workspace();
  await suite.management().put('remotes', { ...spec('imported-secret'), auth: { type: 'bearer', token: 'old' } });
  workspace.write(`${block('imported-secret').replace(/\}$/, '  auth = { type = "bearer", token = "new" }\n}')}
import {
  to = entrepot_remote.one
  id = "imported-secret"
}`);
  expect(await workspace.apply()).toContain('1 imported, 0 added, 1 changed');
  expect(await workspace.pending()).toBe('');
});
