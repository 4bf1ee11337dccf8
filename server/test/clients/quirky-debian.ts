import { writeFile } from 'node:fs/promises';
import { AptMachine } from '../support/apt-machine.ts';
import { DebianWorkshop, Reprepro } from '../support/debian-tools.ts';
import { FolderServer } from '../support/folder-server.ts';
import {
  BUSY,
  CUT,
  cutOff,
  DROP,
  filesOf,
  first,
  loginPage,
  type Origin,
  otherwise,
  type QuirkyClient,
  REDIRECT,
  SLOW,
  sha256,
  TOO_MANY,
  type Tool,
} from './quirky-client.ts';

let workshop: DebianWorkshop;

async function archive(tool: Tool): Promise<Origin> {
  workshop = await DebianWorkshop.create();
  await writeFile(workshop.path('key.asc'), await workshop.publicKey());
  const publisher = await Reprepro.create(workshop, tool('reprepro'));
  const payload = Buffer.concat(Array.from({ length: 6000 }, (_none, at) => Buffer.from(sha256(`${at}`), 'hex')));
  for (const name of ['one', 'two', 'three']) {
    const depends = name === 'one' ? { depends: 'two, three' } : {};
    await publisher.publish(await workshop.build({ name, version: '1.0', payload, ...depends }));
  }
  const folder = await FolderServer.start(publisher.folder);
  const stop = async () => {
    await folder.cut();
    await workshop.remove();
  };
  return { url: folder.url, stop };
}

/** It has a status when it breaks off before anything was passed on. */
const BROKEN = /Remote end closed connection|broke off in the middle of a body/;

export const apt: QuirkyClient = {
  format: 'debian',
  needs: {
    'apt-get': 'it is part of Debian',
    'dpkg-deb': 'it is part of Debian',
    gpg: 'apt-get install gnupg',
    reprepro: 'apt-get install reprepro',
  },
  upstream: archive,
  async fresh(repository) {
    const source = `deb [signed-by=${workshop.path('key.asc')}] ${repository} stable main`;
    const machine = await AptMachine.create([source], ['Acquire::Retries "1";']);
    return {
      async build() {
        const updated = await machine.get('update', '--error-on=any');
        return updated.code === 0 ? machine.get('install', '--download-only', '--yes', 'one') : updated;
      },
      has: async () => ({
        ...(await filesOf(machine.path('var/lib/apt/lists'), /_(?:InRelease|Packages)$/)),
        ...(await machine.archives()),
      }),
      remove: () => machine.remove(),
    };
  },
  passing: [
    first(/\/InRelease$/, BUSY),
    first(/\/Packages\.(?:gz|xz)$/, DROP),
    first(/\/one_1\.0_all\.deb$/, REDIRECT),
    first(/\/two_1\.0_all\.deb$/, SLOW),
    first(/\/three_1\.0_all\.deb$/, TOO_MANY),
    first(/\/three_1\.0_all\.deb$/, CUT),
    otherwise('no_validators', /\.deb$/),
    otherwise('changing_etag'),
  ],
  lasting: [[loginPage(/\/two_1\.0_all\.deb$/)], [cutOff(/\/two_1\.0_all\.deb$/, BROKEN)]],
};
