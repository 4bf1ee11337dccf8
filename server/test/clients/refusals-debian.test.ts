import { writeFile } from 'node:fs/promises';
import { afterAll } from 'vitest';
import { AptMachine } from '../support/apt-machine.ts';
import type { Outcome } from '../support/clients.ts';
import { DebianMirror } from '../support/debian-mirror.ts';
import { DebianWorkshop, Reprepro } from '../support/debian-tools.ts';
import { FolderServer } from '../support/folder-server.ts';
import { requireTool } from '../support/require-tool.ts';
import { refusedClientSuite } from './refusals-client.ts';

const PACKAGE = 'pkg:deb/debian/plain';

let reprepro: string;
let workshop: DebianWorkshop | undefined;
let upstream: FolderServer | undefined;
let mirror: DebianMirror | undefined;

async function ready(): Promise<{ readonly mirror: DebianMirror; readonly key: string }> {
  workshop ??= await DebianWorkshop.create();
  const key = workshop.path('key.asc');
  if (mirror) return { mirror, key };
  await writeFile(key, await workshop.publicKey());
  const tool = await Reprepro.create(workshop, reprepro);
  await tool.publish(await workshop.build({ name: 'plain', version: '1.0' }));
  upstream = await FolderServer.start(tool.folder);
  mirror = await DebianMirror.start({ url: upstream.url, allow_private_network: true });
  return { mirror, key };
}

afterAll(async () => {
  await mirror?.stop();
  await upstream?.cut();
  await workshop?.remove();
});

/** Its lists name the package all the same: they are signed, and passed on as they are. */
async function install(rule: () => Promise<void>): Promise<Outcome> {
  const { mirror: server, key } = await ready();
  const machine = await AptMachine.create([`deb [signed-by=${key}] ${server.url} stable main`]);
  try {
    await rule();
    await machine.update();
    return await machine.get('install', '--download-only', '--yes', 'plain');
  } finally {
    await machine.remove();
  }
}

refusedClientSuite({
  client: 'apt',
  require: (context) => {
    requireTool(context, 'apt-get', 'it is part of Debian');
    requireTool(context, 'dpkg-deb', 'it is part of Debian');
    requireTool(context, 'gpg', 'apt-get install gnupg');
    reprepro = requireTool(context, 'reprepro', 'apt-get install reprepro');
  },
  server: () => {
    if (!mirror) throw new Error('the mirror is not there yet');
    return mirror.server;
  },
  asks: { file: (rule) => install(() => rule(PACKAGE)), block: (rule) => install(() => rule(PACKAGE)) },
});
