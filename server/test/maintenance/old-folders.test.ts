import { globSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { commandLine } from '../support/command-line.ts';
import { ServerProcess } from '../support/server-process.ts';
import { ADMIN_TOKEN, FIXTURES, manifestOf, sha256, unpack } from '../upgrade/fixture.ts';

const states = globSync(`${FIXTURES}*.json`)
  .map((path) => basename(path, '.json'))
  .sort();

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'entrepot-old-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

test.each(states)(
  'a folder of the state %s is backed up before it is upgraded, and restored by this program',
  async (state) => {
    const manifest = await manifestOf(state);
    await unpack(state, join(root, 'data'));
    const before = await readdir(join(root, 'data'));
    const made = await commandLine(
      ['backup', 'b.tar.zst', '--offline', '--data', 'data', '--with-blobs', 'all', '--with-secrets'],
      { cwd: root },
    );
    expect(made).toMatchObject({ code: 0, err: '' });
    expect((await readdir(join(root, 'data'))).filter((name) => !before.includes(name))).toEqual(
      expect.not.arrayContaining(['lock', 'secret-key', 'snapshot']),
    );
    const restored = await commandLine(['restore', 'b.tar.zst', '--data', 'restored'], { cwd: root });
    expect(restored).toMatchObject({ code: 0, err: '' });
    const server = await ServerProcess.launch({ data: join(root, 'restored'), alone: true });
    try {
      for (const { path, accept, sha256: digest } of manifest.served) {
        const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, ...(accept === undefined ? {} : { accept }) };
        const answer = await fetch(`${server.url}${path}`, { headers });
        const body = new Uint8Array(await answer.arrayBuffer());
        expect([path, answer.status]).toEqual([path, 200]);
        if (digest !== undefined) expect([path, sha256(body)]).toEqual([path, digest]);
      }
      const there = async () => {
        const clients = new Set((await server.pulls()).map(({ client = '' }) => client));
        return manifest.clients.filter((client) => !clients.has(client));
      };
      await expect.poll(there).toEqual([]);
    } finally {
      await server.stop();
    }
  },
);
