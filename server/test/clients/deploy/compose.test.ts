import { afterEach, beforeEach, expect, test } from 'vitest';
import { clientTool, FreshMachine } from '../../support/clients.ts';
import { deployed, filledExample, interpolated } from '../../support/compose-file.ts';

let machine: FreshMachine;
let validate: (files: Readonly<Record<string, string>>) => Promise<{ readonly code: number; readonly text: string }>;

/** The reader of compose files that Docker's own is built on. */
beforeEach(async (context) => {
  const tool = clientTool(context, 'compose-go/cmd', 'npm run clients -- compose-go');
  machine = await FreshMachine.create();
  validate = async (files) => {
    await machine.write(files);
    return machine.run([tool, '-no-interpolation', ...Object.keys(files)]);
  };
});
afterEach(() => machine?.remove());

const filled = (name: string) => interpolated(deployed(name), filledExample());

test('the compose file is one, as it is and with its variables', async () => {
  for (const text of [deployed('docker-compose.yml'), filled('docker-compose.yml')]) {
    const { code, text: said } = await validate({ 'docker-compose.yml': text });
    expect(said).toContain('entrepot-2:');
    expect(code).toBe(0);
  }
});

test('with HTTPS nginx has another port, and a certificate beside its configuration', async () => {
  const { code, text } = await validate({
    'docker-compose.yml': filled('docker-compose.yml'),
    'tls.yml': filled('deploy/compose/tls.yml'),
  });
  expect(code).toBe(0);
  const nginx = text.slice(text.indexOf('nginx:\n'));
  for (const part of [
    '8443',
    '8080',
    '/etc/nginx/conf.d/default.conf',
    '/etc/nginx/entrepot.d/tls.conf',
    '/etc/nginx/tls',
  ])
    expect(nginx).toContain(part);
});

test('a word that compose does not know is refused', async () => {
  const text = filled('docker-compose.yml').replace('read_only:', 'readonly:');
  expect((await validate({ 'docker-compose.yml': text })).code).not.toBe(0);
});
