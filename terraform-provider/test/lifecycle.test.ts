import { expect, test } from 'vitest';
import { terraformSuite } from './support/suite.ts';

const suite = terraformSuite();

const remote = (name: string, more = ''): string => `
resource "entrepot_remote" "one" {
  name   = "${name}"
  format = "npm"
  url    = "https://upstream.test"
  ${more}
}`;

test('a remote, a virtual of it and a data source: applied, planned again with nothing to do, changed, destroyed', async () => {
  const workspace = suite.workspace();
  const rest = `
resource "entrepot_virtual" "all" {
  name    = "life-all"
  format  = "npm"
  members = [entrepot_remote.one.name]
}
data "entrepot_virtual" "all" {
  name = entrepot_virtual.all.name
}
output "address" {
  value = data.entrepot_virtual.all.repository_url
}
output "members" {
  value = data.entrepot_virtual.all.members
}`;
  workspace.write(remote('life-one') + rest);
  expect(await workspace.apply()).toContain('2 added, 0 changed, 0 destroyed');
  expect(await workspace.pending()).toBe('');
  expect(await workspace.succeed('output', '-raw', 'address')).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/life-all\/?$/);
  expect(JSON.parse(await workspace.succeed('output', '-json', 'members'))).toEqual(['life-one']);

  workspace.write(remote('life-one', 'index_ttl = "1h"') + rest);
  expect(await workspace.apply()).toContain('0 added, 1 changed, 0 destroyed');
  expect(await workspace.pending()).toBe('');
  expect((await suite.management().get('remotes', 'life-one'))?.spec.index_ttl).toBe('1h');

  expect(await workspace.destroy()).toContain('2 destroyed');
  expect(await suite.management().get('remotes', 'life-one')).toBeUndefined();
  expect(await suite.management().get('virtuals', 'life-all')).toBeUndefined();
});

test('only what is declared is stored', async () => {
  const workspace = suite.workspace();
  workspace.write(remote('declared-only', 'patterns = []\n  timeouts = { connect = "5s" }'));
  await workspace.apply();
  expect((await suite.management().get('remotes', 'declared-only'))?.spec).toEqual({
    name: 'declared-only',
    format: 'npm',
    url: 'https://upstream.test',
    patterns: [],
    timeouts: { connect: '5s' },
  });
  expect(await workspace.pending()).toBe('');
});

test('what somebody else changed is shown and put right', async () => {
  const workspace = suite.workspace();
  workspace.write(remote('drifting', 'labels = { team = "platform" }'));
  await workspace.apply();
  const spec = {
    name: 'drifting',
    format: 'npm',
    url: 'https://upstream.test',
    index_ttl: '1h',
    labels: { team: 'other' },
  };
  await suite.management().put('remotes', spec);
  const pending = await workspace.pending();
  expect(pending).toMatch(/index_ttl\s+= "1h" -> "5m"/);
  expect(pending).toMatch(/"team" = "other" -> "platform"/);
  expect(pending).not.toContain('repository_url');
  expect(await workspace.apply()).toContain('0 added, 1 changed, 0 destroyed');
  expect(await workspace.pending()).toBe('');
  expect((await suite.management().get('remotes', 'drifting'))?.spec).not.toHaveProperty('index_ttl');
});

test('what somebody else deleted is made again', async () => {
  const workspace = suite.workspace();
  workspace.write(remote('deleted-behind'));
  await workspace.apply();
  await suite.management().remove('remotes', 'deleted-behind');
  expect(await workspace.apply()).toContain('1 added, 0 changed, 0 destroyed');
  expect(await workspace.pending()).toBe('');
});

test('a new name is a new resource', async () => {
  const workspace = suite.workspace();
  workspace.write(remote('named-first'));
  await workspace.apply();
  workspace.write(remote('named-second'));
  const plan = await workspace.succeed('plan', '-no-color');
  expect(plan).toMatch(/name\s+= "named-first" -> "named-second" # forces replacement/);
  expect(await workspace.apply()).toContain('1 added, 0 changed, 1 destroyed');
  expect(await suite.management().get('remotes', 'named-first')).toBeUndefined();
  expect(await suite.management().get('remotes', 'named-second')).toBeDefined();
  expect(await workspace.pending()).toBe('');
});

test('destroying what is gone already succeeds', async () => {
  const workspace = suite.workspace();
  workspace.write(remote('gone-already'));
  await workspace.apply();
  await suite.management().remove('remotes', 'gone-already');
  await workspace.succeed('destroy', '-auto-approve', '-refresh=false', '-no-color');
});

test('a secret is sent, hidden in every plan, and not asked for again', async () => {
  const workspace = suite.workspace();
  workspace.write(remote('with-secret', 'auth = { type = "bearer", token = "the-secret-value" }'));
  const shown = await workspace.apply();
  expect(shown).toContain('(sensitive value)');
  expect(shown).not.toContain('the-secret-value');
  expect(await workspace.pending()).toBe('');
  workspace.write(remote('with-secret', 'auth = { type = "bearer", token = "another-secret-value" }'));
  expect(await workspace.apply()).toContain('1 changed');
  expect(await workspace.pending()).toBe('');
});

test('many resources at once, and values that are known only at apply', async () => {
  const workspace = suite.workspace();
  workspace.write(`
resource "terraform_data" "later" {
  input = "10m"
}
resource "entrepot_remote" "many" {
  count     = 40
  name      = "many-\${count.index}"
  format    = count.index % 2 == 0 ? "npm" : "pypi"
  url       = "https://upstream.test"
  index_ttl = terraform_data.later.output
  patterns  = [terraform_data.later.output, "^a"]
}
resource "entrepot_virtual" "many" {
  name    = "many-all"
  format  = "npm"
  members = [for one in entrepot_remote.many : one.name if one.format == "npm"]
}`);
  expect(await workspace.apply()).toContain('42 added');
  expect(await workspace.pending()).toBe('');
  expect((await suite.management().get('virtuals', 'many-all'))?.spec.members).toHaveLength(20);
  expect(await workspace.destroy()).toContain('42 destroyed');
});

test('state that an older version of the provider wrote is read', async () => {
  const workspace = suite.workspace();
  workspace.write(remote('older-state'));
  await workspace.apply();
  const state = JSON.parse(await workspace.succeed('state', 'pull'));
  const attributes = state.resources[0].instances[0].attributes;
  delete attributes.stale_if_error;
  attributes.an_attribute_of_long_ago = 'x';
  state.serial += 1;
  workspace.write(JSON.stringify(state), 'older.json');
  await workspace.succeed('state', 'push', 'older.json');
  expect(await workspace.pending()).toBe('');
});

test('what the first start made is taken over without a conflict', async () => {
  const workspace = suite.workspace();
  workspace.write(
    'resource "entrepot_virtual" "npm" {\n  name    = "npm"\n  format  = "npm"\n  members = ["npm-public"]\n}',
  );
  expect(await workspace.apply()).toContain('1 added');
  expect(await workspace.succeed('state', 'show', '-no-color', 'entrepot_virtual.npm')).toMatch(/managed_by\s+= "api"/);
  expect(await workspace.pending()).toBe('');
});
