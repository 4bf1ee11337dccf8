import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ServerProcess } from '../support/server-process.ts';

let server: ServerProcess;
beforeEach(async () => {
  server = await ServerProcess.start('--defaults', 'false');
  await server.manage('POST', '/hosted', { name: 'builds', format: 'gradle-cache' });
});
afterEach(() => server.stop());

const KEYS = Array.from({ length: 40 }, (_, index) => index.toString(16).padStart(32, '0'));

/** Says of itself whether it is whole. */
function entry(): Buffer {
  const bytes = randomBytes(150_000);
  return Buffer.concat([createHash('sha256').update(bytes).digest(), bytes]);
}

function isWhole(bytes: Buffer): boolean {
  return createHash('sha256').update(bytes.subarray(32)).digest().equals(bytes.subarray(0, 32));
}

async function put(key: string): Promise<number> {
  const headers = { authorization: `Bearer ${server.token}` };
  return (await fetch(`${server.url}/builds/${key}`, { method: 'PUT', headers, body: entry() })).status;
}

test('killed while entries are written, it has every one that was taken, and none that is not whole', async () => {
  const taken = new Set<string>();
  for (const round of [1, 2, 3]) {
    let isDoomed = false;
    let writes = 0;
    const write = async () => {
      while (!isDoomed) {
        writes += 1;
        const key = KEYS[writes % KEYS.length] ?? '';
        const status = await put(key).catch((error: unknown) => {
          if (!isDoomed) throw error;
        });
        if (status !== undefined) expect(status).toBeLessThan(300);
        if (status !== undefined) taken.add(key);
      }
    };
    const writers = Promise.all(Array.from({ length: 8 }, write));
    while (writes < round * 40) await Promise.race([sleep(5), writers]);
    isDoomed = true;
    await server.kill('SIGKILL');
    await writers;
    await server.restart();
    expect(await readdir(join(server.data, 'tmp'))).toEqual([]);
    let found = 0;
    for (const key of KEYS) {
      const answer = await fetch(`${server.url}/builds/${key}`);
      const bytes = Buffer.from(await answer.arrayBuffer());
      expect(answer.status).toBe(answer.status === 200 || taken.has(key) ? 200 : 404);
      if (answer.status !== 200) continue;
      found += 1;
      expect([key, isWhole(bytes)]).toEqual([key, true]);
    }
    expect(found).toBeGreaterThanOrEqual(taken.size);
  }
  expect(taken.size).toBeGreaterThan(KEYS.length / 2);
});
