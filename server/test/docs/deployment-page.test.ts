import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { loadSettings } from '../../src/app/settings.ts';
import { SETTINGS } from '../../src/app/settings-table.ts';
import { composeFile, deployed, variablesOf } from '../support/compose-file.ts';
import { deploymentPage, optionsOf, typedLines, writtenFile } from '../support/deployment-doc.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const beginning = (words: string) => typedLines().filter((line) => line.startsWith(words));

test('every file that the page names is there', () => {
  const named =
    deploymentPage.match(/(?<![\w./])(deploy\/[\w./-]*[\w/]|Dockerfile|\.dockerignore|docker-compose\.yml)/g) ?? [];
  const made = ['deploy/compose/tls/'];
  for (const path of new Set(named)) if (!made.includes(path)) expect(existsSync(join(ROOT, path)), path).toBe(true);
});

test('every variable and setting that the page names is one', () => {
  const variables = new Set([
    ...SETTINGS.map(({ env }) => env),
    ...variablesOf(deployed('docker-compose.yml')).keys(),
    'ENTREPOT_CONFIG',
  ]);
  for (const [name] of deploymentPage.matchAll(/\bENTREPOT_[A-Z_]+/g)) expect(variables).toContain(name);
  const keys = SETTINGS.map(({ key }) => key);
  for (const name of ['base_url', 'trusted_proxies', 'tls.cert', 'tls.key']) {
    expect(deploymentPage).toContain(`\`${name}\``);
    expect(keys).toContain(name);
  }
});

test('the image is given settings that it takes', () => {
  const [line = ''] = beginning('docker run');
  const given = optionsOf(line, 'env').map((variable) => variable.split('=') as [string, string]);
  const [, listen = ''] = /ENTREPOT_LISTEN=(\S+)/.exec(deployed('Dockerfile')) ?? [];
  const env = { ...Object.fromEntries(given), ENTREPOT_LISTEN: listen, ENTREPOT_DATA: '/data' };
  expect(loadSettings({ env, cwd: '/' }).baseUrl).toBe('http://packages.example.com:8080');
  expect(optionsOf(line, 'publish')).toEqual([`8080:${listen.split(':')[1]}`]);
  expect(Number(optionsOf(line, 'stop-timeout')[0])).toBeGreaterThan(30);
});

test('the settings of the systemd unit are some', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'entrepot-unit-'));
  await writeFile(join(folder, 'entrepot.yaml'), writtenFile());
  const unit = deployed('deploy/systemd/entrepot.service');
  expect(unit).toContain('ENTREPOT_CONFIG=/etc/entrepot/entrepot.yaml');
  const settings = loadSettings({ env: { ENTREPOT_CONFIG: 'entrepot.yaml' }, cwd: folder });
  await rm(folder, { recursive: true });
  expect(settings.listen).toEqual({ host: '0.0.0.0', port: 8080 });
});

test('compose is told to start what there is', () => {
  const { services } = composeFile();
  const started = beginning('docker compose').flatMap((line) =>
    line
      .split(' ')
      .slice(2)
      .filter((word) => /^entrepot-/.test(word)),
  );
  expect(started.toSorted()).toEqual(
    Object.keys(services)
      .filter((name) => name.startsWith('entrepot-'))
      .toSorted(),
  );
});
