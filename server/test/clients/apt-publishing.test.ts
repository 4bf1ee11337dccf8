import { writeFile } from 'node:fs/promises';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { AptMachine } from '../support/apt-machine.ts';
import { DebianMirror } from '../support/debian-mirror.ts';
import { Aptly, DebianWorkshop, Reprepro, synchronise } from '../support/debian-tools.ts';
import { FolderServer } from '../support/folder-server.ts';
import { requireTool } from '../support/require-tool.ts';

const CLIENTS = 4;
const PUBLICATIONS = 7;
/** Milliseconds; Last-Modified counts seconds, and two publications of one second are one to those who ask by it. */
const BETWEEN = 1100;
/** Milliseconds for which lists and Release do not belong together. */
const TORN = 400;

interface Tool {
  readonly folder: string;
  publish(...files: readonly string[]): Promise<void>;
}
const KINDS = {
  reprepro: Reprepro.create,
  aptly: Aptly.create,
} as const;

let workshop: DebianWorkshop;

beforeEach(async (context) => {
  requireTool(context, 'apt-get', 'it is part of Debian');
  requireTool(context, 'gpg', 'apt-get install gnupg');
  if (workshop) return;
  workshop = await DebianWorkshop.create();
  await writeFile(workshop.path('key.asc'), await workshop.publicKey());
});
afterAll(() => workshop?.remove());

const version = (number: number) => `1.${number}`;
const build = (number: number) => workshop.build({ name: 'walk', version: version(number) });
const rest = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe.each(Object.keys(KINDS) as (keyof typeof KINDS)[])('while %s publishes', (program) => {
  let executable: string;

  beforeEach((context) => {
    executable = requireTool(context, program, `apt-get install ${program}`);
  });

  test('apt-get update never fails', () => followPublications(() => KINDS[program](workshop, executable), program));
});

async function followPublications(create: () => Promise<Tool>, name: string): Promise<void> {
  const tool = await create();
  const mirrored = workshop.path(`${name}-mirror`);
  await tool.publish(await build(0));
  await synchronise(tool.folder, mirrored, 'lists', 0);
  const upstream = await FolderServer.start(mirrored);
  const mirror = await DebianMirror.start({ url: upstream.url, allow_private_network: true, index_ttl: '1s' });
  const source = `deb [signed-by=${workshop.path('key.asc')}] ${mirror.url} stable main`;
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => AptMachine.create([source])));
  let isPublishing = true;

  /** The newest version it saw, after each of its updates. */
  async function follow(client: AptMachine): Promise<string[]> {
    const seen: string[] = [];
    while (isPublishing) {
      await client.update();
      seen.push((await client.versions('walk'))[0] ?? 'none');
    }
    return seen;
  }

  async function publish(): Promise<void> {
    try {
      for (let number = 1; number <= PUBLICATIONS; number += 1) {
        await rest(BETWEEN);
        await tool.publish(await build(number));
        await synchronise(tool.folder, mirrored, number % 2 === 0 ? 'lists' : 'release', TORN);
      }
    } finally {
      isPublishing = false;
    }
  }

  try {
    const [published, ...followed] = await Promise.allSettled([publish(), ...clients.map(follow)]);
    for (const outcome of [published, ...followed]) if (outcome.status === 'rejected') throw outcome.reason;
    for (const seen of followed.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))) {
      expect(seen).toEqual([...seen].sort(byNumber));
      expect(new Set(seen).size).toBeGreaterThan(1);
    }
    for (const client of clients) {
      const newest = async () => {
        await client.update();
        return (await client.versions('walk'))[0];
      };
      await expect.poll(newest).toBe(version(PUBLICATIONS));
      await client.succeed('install', '--download-only', '--yes', 'walk');
      expect(Object.keys(await client.archives())).toEqual([`walk_${version(PUBLICATIONS)}_all.deb`]);
    }
  } finally {
    for (const client of clients) await client.remove();
    await mirror.stop();
    await upstream.cut();
  }
}

function byNumber(one: string, other: string): number {
  return Number(one.split('.')[1]) - Number(other.split('.')[1]);
}
