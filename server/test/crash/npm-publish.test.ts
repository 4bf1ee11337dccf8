import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HostedClient } from '../support/hosted-client.ts';
import { sri } from '../support/npm-package.ts';
import { ServerProcess } from '../support/server-process.ts';

let server: ServerProcess;
beforeEach(async () => {
  server = await ServerProcess.start('--defaults', 'false');
  await server.manage('POST', '/hosted', { name: 'own', format: 'npm' });
});
afterEach(() => server.stop());

test('killed while releases are published, it has every one that was taken, and none of which anything is missing', async () => {
  const client = new HostedClient(server, 'own');
  const names = ['box', '@acme/crate', 'parcel'];
  const tarballs = new Map<string, Buffer>();
  const taken = new Set<string>();
  let count = 0;
  for (const round of [1, 2, 3]) {
    let isDoomed = false;
    const begun = count;
    const write = async () => {
      while (!isDoomed) {
        count += 1;
        const name = names[count % names.length] ?? '';
        const version = `1.0.${count}`;
        const tarball = randomBytes(150_000);
        tarballs.set(`${name}@${version}`, tarball);
        const answer = await client.publish({ name, version, tarball }).catch((error: unknown) => {
          if (!isDoomed) throw error;
        });
        if (answer) expect(answer.status).toBe(201);
        if (answer) taken.add(`${name}@${version}`);
      }
    };
    const writers = Promise.all(Array.from({ length: 6 }, write));
    while (count - begun < round * 20) await Promise.race([sleep(5), writers]);
    isDoomed = true;
    await server.kill('SIGKILL');
    await writers;
    await server.restart();
    expect(await readdir(join(server.data, 'tmp'))).toEqual([]);
    const listed = new Set<string>();
    for (const name of names) {
      const { versions, time } = await client.read(name.replace('/', '%2f'));
      for (const [version, { dist }] of Object.entries<{ dist: { tarball: string; integrity: string } }>(versions)) {
        const release = `${name}@${version}`;
        listed.add(release);
        const bytes = Buffer.from(await (await fetch(dist.tarball)).arrayBuffer());
        expect([release, sri(bytes), bytes.equals(tarballs.get(release) ?? Buffer.alloc(0))]).toEqual([
          release,
          dist.integrity,
          true,
        ]);
        expect(time[version]).toBeTruthy();
      }
    }
    expect([...taken].filter((release) => !listed.has(release))).toEqual([]);
  }
  expect(taken.size).toBeGreaterThan(40);
  // What was cut off can be published again.
  for (const [release, tarball] of tarballs) {
    const at = release.lastIndexOf('@');
    const again = await client.publish({ name: release.slice(0, at), version: release.slice(at + 1), tarball });
    expect([release, again.status]).toEqual([release, 201]);
  }
});
