import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Refusal } from './diagnostics.ts';
import { connectionOf } from './settings.ts';
import { type Fields, UNKNOWN } from './value.ts';

const none: Fields = { url: null, token: null, ca_pem: null };
const connect = (config: Fields, env: Readonly<Record<string, string>> = {}) =>
  connectionOf({ ...none, ...config }, { ENTREPOT_DATA: '/nowhere', ...env }, 'agent/1');

function refusal(call: () => unknown) {
  try {
    call();
  } catch (error) {
    if (error instanceof Refusal) return error.problems[0];
    throw error;
  }
  throw new Error('it was not refused');
}

function dataFolder(token: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'entrepot-data-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'admin-token'), token);
  return folder;
}

test('the provider block goes before the environment', () => {
  const env = { ENTREPOT_URL: 'http://env.test', ENTREPOT_TOKEN: 'of-env' };
  expect(connect({ url: 'https://block.test/', token: 'of-block', ca_pem: 'PEM' }, env)).toEqual({
    url: 'https://block.test',
    token: 'of-block',
    tokenSource: 'the provider block',
    caPem: 'PEM',
    userAgent: 'agent/1',
  });
  expect(connect({}, env)).toMatchObject({ url: 'http://env.test', token: 'of-env', tokenSource: 'ENTREPOT_TOKEN' });
});

test('with neither it is the server on this machine, with the token in its data folder', () => {
  const folder = dataFolder('of-file\n');
  expect(connect({}, { ENTREPOT_DATA: folder })).toMatchObject({
    url: 'http://127.0.0.1:8080',
    token: 'of-file',
    tokenSource: join(folder, 'admin-token'),
  });
  for (const url of ['http://localhost:1', 'http://[::1]:1', 'http://127.0.0.2'])
    expect(connect({ url }, { ENTREPOT_DATA: folder }).token).toBe('of-file');
});

test('the token of this machine is never sent to another', () => {
  const folder = dataFolder('of-file');
  const problem = refusal(() => connect({ url: 'https://packages.example.com' }, { ENTREPOT_DATA: folder }));
  expect(problem).toMatchObject({ summary: 'No token for Entrepot', path: ['token'] });
  expect(problem?.detail).not.toContain('admin-token');
  for (const url of ['http://localhost.example.com', 'http://127.0.0.1.example.com', 'http://127.example.com']) {
    expect(refusal(() => connect({ url }, { ENTREPOT_DATA: folder }))?.path).toEqual(['token']);
  }
});

test('no token: what to set, and which file was looked for', () => {
  expect(refusal(() => connect({}))?.detail).toContain('/nowhere/admin-token');
});

test('wrong settings are named, a wrong token is not shown', () => {
  expect(refusal(() => connect({ token: 'x' }, { ENTREPOT_URL: 'entrepot.test:8080' }))).toMatchObject({
    path: ['url'],
  });
  const problem = refusal(() => connect({ token: 'two words\nin lines' }));
  expect(problem?.path).toEqual(['token']);
  expect(problem?.detail).not.toContain('two words');
  expect(refusal(() => connect({ url: UNKNOWN, token: 'x' }))).toMatchObject({
    summary: 'url is not known yet',
    path: ['url'],
  });
});
