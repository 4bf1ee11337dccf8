import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { terraformSuite } from './support/suite.ts';
import { HEAD_LINES, unwrapped } from './support/terraform.ts';

const suite = terraformSuite();

const remote = (name: string, ...lines: readonly string[]): string =>
  [`resource "entrepot_remote" "one" {`, `  name = "${name}"`, '  url = "https://upstream.test"', ...lines, '}'].join(
    '\n',
  );
const npm = '  format = "npm"';

/** The wrong line ends in `# here`. */
const wrong: readonly (readonly [string, readonly string[], string])[] = [
  ['a duration without a unit', [npm, '  index_ttl = "5 minutes" # here'], 'Must be a duration such as'],
  ['an unknown format', ['  format = "nmp" # here'], 'Must be one of npm, pypi, '],
  ['a label with a blank', [npm, '  labels = { "Team Name" = "x" } # here'], 'Its key must be'],
  [
    'an address that is none',
    [npm, '  proxy_url = "proxy.test" # here'],
    'Must be an address that starts with https:// or http://',
  ],
  ['text that is no certificate', ['  ca_pem = "ca.pem" # here', npm], 'Must be PEM text'],
  [
    'options of another format',
    [npm, '  pypi = { json_api = false } # here'],
    'Holds options of the format pypi, but the format here is "npm": remove it',
  ],
  [
    'a wrong value deep inside',
    [npm, '  timeouts = { # here', '    idle = "long"', '  }'],
    'timeouts.idle: Must be a duration',
  ],
  ['an empty pattern', [npm, '  patterns = ["^a", ""] # here'], 'Must not be empty'],
];

function lineOf(text: string): number {
  return HEAD_LINES + text.split('\n').findIndex((line) => line.endsWith('# here')) + 1;
}

test.each(wrong)('validate: %s, at its line, with what to do', async (_title, lines, words) => {
  const workspace = suite.workspace();
  const source = remote('wrong', ...lines);
  workspace.write(source);
  const text = await workspace.fail('validate');
  expect(text).toContain(`on main.tf line ${lineOf(source)}, in resource "entrepot_remote" "one":`);
  expect(unwrapped(text)).toContain(words);
});

test('validate: a member that is no name, at the line of that member', async () => {
  const workspace = suite.workspace();
  workspace.write(
    [
      'resource "entrepot_virtual" "one" {',
      '  name = "v"',
      '  format = "npm"',
      '  members = [',
      '    "good",',
      '    "Not Good",',
      '  ]',
      '}',
    ].join('\n'),
  );
  const text = await workspace.fail('validate');
  expect(text).toContain('on main.tf line 11, in resource "entrepot_virtual" "one":');
  expect(unwrapped(text)).toContain('it is "Not Good"');
});

test('validate: nothing is said about values that are not known yet', async () => {
  const workspace = suite.workspace();
  workspace.write(
    `variable "any" { type = string }\n${remote('later', npm, '  index_ttl = var.any', '  patterns = [var.any]')}`,
  );
  await workspace.succeed('validate');
});

test('validate: an attribute that does not exist is refused by name', async () => {
  const workspace = suite.workspace();
  workspace.write(remote('typo', npm, '  index_tll = "5m"'));
  expect(await workspace.fail('validate')).toContain('An argument named "index_tll" is not expected here');
});

test('plan: a rule that only the server knows, at its line, before anything is applied', async () => {
  const workspace = suite.workspace();
  const source = remote('server-rule', npm, '  proxy_url = "https://user:secret@proxy.test" # here');
  workspace.write(source);
  const text = await workspace.fail('plan');
  expect(text).toContain(`on main.tf line ${lineOf(source)}, in resource "entrepot_remote" "one":`);
  expect(unwrapped(text)).toMatch(/they belong in a field of their own\./);
  expect(await suite.management().get('remotes', 'server-rule')).toBeUndefined();
});

test('apply: a member that does not exist, at its line, and nothing is kept in the state', async () => {
  const workspace = suite.workspace();
  workspace.write(
    'resource "entrepot_virtual" "one" {\n  name = "dangling"\n  format = "npm"\n  members = ["no-such-remote"]\n}',
  );
  const text = await workspace.fail('apply', '-auto-approve');
  expect(text).toContain('on main.tf line 9, in resource "entrepot_virtual" "one":');
  expect(unwrapped(text)).toContain('no-such-remote');
  expect(await workspace.succeed('state', 'list')).toBe('');
});

test('apply: what changed since the plan is left alone', async () => {
  const workspace = suite.workspace();
  workspace.write(remote('since-plan', npm));
  await workspace.apply();
  workspace.write(remote('since-plan', npm, '  index_ttl = "1h"'));
  await workspace.succeed('plan', '-out=saved', '-no-color');
  await suite.management().put('remotes', { name: 'since-plan', format: 'npm', url: 'https://elsewhere.test' });
  const text = unwrapped(await workspace.fail('apply', 'saved'));
  expect(text).toContain('The remote "since-plan" has changed since the plan');
  expect(text).toContain('Run terraform plan again');
  expect((await suite.management().get('remotes', 'since-plan'))?.spec.url).toBe('https://elsewhere.test');
});

test('destroy: what is protected stays, and the answer says what to do', async () => {
  const workspace = suite.workspace();
  workspace.write(remote('protected', npm, '  deletion_protection = true'));
  await workspace.apply();
  const text = unwrapped(await workspace.fail('destroy', '-auto-approve'));
  expect(text).toContain('Cannot delete the remote "protected"');
  expect(text).toContain('deletion_protection');
  expect(await workspace.succeed('state', 'list')).toContain('entrepot_remote.one');
});

test('a data source that names nothing, at its line', async () => {
  const workspace = suite.workspace();
  workspace.write('data "entrepot_remote" "one" {\n  name = "nowhere"\n}');
  const text = await workspace.fail('plan');
  expect(text).toContain('on main.tf line 7, in data "entrepot_remote" "one":');
  expect(unwrapped(text)).toContain('There is no remote "nowhere"');
});

test('a token that the server does not know', async () => {
  const workspace = suite.workspace({ ENTREPOT_URL: suite.server().url, ENTREPOT_TOKEN: 'wrong-token' });
  workspace.write('data "entrepot_remote" "one" {\n  name = "any"\n}');
  const text = unwrapped(await workspace.fail('plan'));
  expect(text).toContain('does not accept the token from ENTREPOT_TOKEN');
  expect(text).not.toContain('wrong-token');
});

test('no token at all, at the provider block', async () => {
  const workspace = suite.workspace({ ENTREPOT_URL: suite.server().url });
  workspace.write(`provider "entrepot" {\n}\n${remote('no-token', npm)}`);
  const text = await workspace.fail('plan');
  expect(text).toContain('on main.tf line 6, in provider "entrepot":');
  expect(unwrapped(text)).toContain('Set token in the provider block, or the environment variable ENTREPOT_TOKEN');
});

test('the token file of a server on this machine is found by its data folder', async () => {
  const workspace = suite.workspace({ ENTREPOT_URL: suite.server().url });
  workspace.write(remote('from-token-file', npm));
  mkdirSync(join(workspace.folder, 'data'));
  writeFileSync(join(workspace.folder, 'data', 'admin-token'), `${suite.server().token}\n`);
  expect(await workspace.apply()).toContain('1 added');
});

test('a wrong setting of the provider, at its line', async () => {
  const workspace = suite.workspace({});
  workspace.write(`provider "entrepot" {\n  token = "x"\n  url   = "entrepot.test:8080"\n}\n${remote('setting', npm)}`);
  const text = await workspace.fail('validate');
  expect(text).toContain('on main.tf line 8, in provider "entrepot":');
});

test('nobody at the address', async () => {
  const free = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => free.once('listening', resolve));
  const { port } = free.address() as AddressInfo;
  await new Promise((resolve) => free.close(resolve));
  const workspace = suite.workspace({ ENTREPOT_URL: `http://127.0.0.1:${port}`, ENTREPOT_TOKEN: 'x' });
  workspace.write(remote('nobody', npm));
  const text = unwrapped(await workspace.fail('apply', '-auto-approve'));
  expect(text).toContain(`Nothing answers at http://127.0.0.1:${port}. Start Entrepot there, or set`);
});

test('somebody else at the address', async () => {
  const other = createServer((_request, response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
  ).listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as AddressInfo;
  const workspace = suite.workspace({ ENTREPOT_URL: `http://127.0.0.1:${port}`, ENTREPOT_TOKEN: 'x' });
  workspace.write(remote('other', npm));
  const text = unwrapped(await workspace.fail('apply', '-auto-approve'));
  await new Promise((resolve) => other.close(resolve));
  expect(text).toContain("is not Entrepot's management API");
});
