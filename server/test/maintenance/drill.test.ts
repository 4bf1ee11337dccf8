import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ServerProcess } from '../support/server-process.ts';
import { shellBlocks } from '../support/shell-blocks.ts';

const PROGRAM = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const PAGE = fileURLToPath(new URL('../../../docs/backup.md', import.meta.url));

let folder: string;
let server: ServerProcess;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrepot-drill-'));
  server = await ServerProcess.start('--defaults', 'false');
});
afterEach(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

test('the drill of docs/backup.md runs as it stands there', async () => {
  await server.manage('PUT', '/hosted/own', { format: 'generic' });
  const headers = { authorization: `Bearer ${server.token}` };
  await fetch(`${server.url}/own/box-1.0.tar.gz`, { method: 'PUT', headers, body: 'published' });
  const [drill = ''] = shellBlocks(await readFile(PAGE, 'utf8'), 'Drill');
  expect(drill).toContain('entrepot restore');
  await mkdir(join(folder, 'bin'));
  await writeFile(join(folder, 'bin', 'entrepot'), `#!/bin/sh\nexec '${process.execPath}' '${PROGRAM}' "$@"\n`);
  await chmod(join(folder, 'bin', 'entrepot'), 0o755);
  const port = await freePort();
  const shell = spawn('bash', ['-euo', 'pipefail', '-c', drill.replaceAll('8081', String(port))], {
    cwd: folder,
    env: {
      PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
      ENTREPOT_URL: server.url,
      ENTREPOT_TOKEN: server.token,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err] = [text(shell.stdout), text(shell.stderr)];
  const [code] = await once(shell, 'exit');
  expect([code, code === 0 ? '' : await err]).toEqual([0, '']);
  expect(await out).toContain('1 blob in it');
  expect(await out).toContain('1 blob referred to, 9 B; all there');
  expect(await out).toContain('{"ready":true}');
  expect(await out).toContain('1 objects, 1 blobs');
  expect(await readdir(folder)).toEqual(['bin']);
});

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  return port;
}
