import { copyFile, mkdir, readFile, rename, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AptMachine, sha256 } from '../support/apt-machine.ts';
import { DebianMirror } from '../support/debian-mirror.ts';
import { DebianWorkshop, type OwnArchive, ownArchive, Reprepro } from '../support/debian-tools.ts';
import { FolderServer } from '../support/folder-server.ts';
import { ForwardProxy } from '../support/forward-proxy.ts';
import { requireTool } from '../support/require-tool.ts';

const machines: AptMachine[] = [];

async function fresh(sources: readonly string[]): Promise<AptMachine> {
  const machine = await AptMachine.create(sources);
  machines.push(machine);
  return machine;
}

const download = (machine: AptMachine, ...names: readonly string[]) =>
  machine.succeed('install', '--download-only', '--yes', ...names);

/** What apt-get says when it does not get it. */
async function refused(machine: AptMachine, ...args: readonly string[]): Promise<string> {
  const { code, text } = await machine.get(...args);
  expect(code).not.toBe(0);
  return text;
}

beforeEach((context) => {
  requireTool(context, 'apt-get', 'it is part of Debian');
});
afterEach(async () => {
  for (const machine of machines.splice(0)) await machine.remove();
});

describe('the archive the system itself comes from', () => {
  const PACKAGES = ['curl', 'git', 'jq', 'libstdc++6', 'python3-requests'];

  let upstream: ForwardProxy;
  let archive: OwnArchive;
  let mirror: DebianMirror;
  let archives: Record<string, string>;
  let packages: readonly string[];

  const line = (kind: 'deb' | 'deb-src') => {
    const { suite, component, keyring } = archive;
    return `${kind} [signed-by=${keyring}] ${mirror.url} ${suite} ${component}`;
  };

  beforeEach(async () => {
    if (mirror) return;
    upstream = await ForwardProxy.start();
    archive = await ownArchive();
    mirror = await DebianMirror.start({ url: archive.url, proxy_url: upstream.url });
  });
  afterAll(async () => {
    await mirror?.stop();
    await upstream?.stop();
  });

  test('gives more than fifty packages, each on record, from lists with the signature of the system', async () => {
    const machine = await fresh([line('deb')]);
    await machine.update();
    await download(machine, ...PACKAGES);
    archives = await machine.archives();
    expect(Object.keys(archives).length).toBeGreaterThan(50);
    packages = (await mirror.pulled()).packages;
    expect(packages).toEqual(Object.keys(archives).map(purl).sort());
    expect(upstream.asked).toBeGreaterThan(0);
    const again = await machine.update();
    expect(again).toContain('Hit:1 ');
    expect(again).not.toContain('Get:');
  });

  test('gives a source package', async () => {
    const machine = await fresh([line('deb-src')]);
    await machine.update();
    await machine.succeed('source', '--download-only', 'hello');
    const dsc = (await machine.machine.succeed(['sh', '-c', 'ls *.dsc'])).trim();
    const listed = [...(await readFile(machine.path(dsc), 'utf8')).matchAll(/^ ([0-9a-f]{64}) \d+ (\S+)$/gm)];
    expect(listed.length).toBeGreaterThan(1);
    for (const [, digest, file = ''] of listed) expect(await sha256(machine.path(file)), file).toBe(digest);
  });

  test('gives the same again to a new machine while it is away', async () => {
    await mirror.pulled();
    upstream.cut();
    const machine = await fresh([line('deb')]);
    await machine.update();
    await download(machine, ...PACKAGES);
    expect(await machine.archives()).toEqual(archives);
    const again = await mirror.pulled();
    expect(again.packages).toEqual(packages);
    expect([...again.caches]).toEqual(['hit']);
    upstream.join();
  });

  test('says why a package is refused, and gives the others', async () => {
    const reason = await mirror.block('jq');
    const machine = await fresh([line('deb')]);
    await machine.update();
    expect(await refused(machine, 'install', '--download-only', '--yes', 'jq')).toContain(reason);
    await download(machine, 'curl');
    expect(Object.keys(await machine.archives()).filter((file) => file.startsWith('jq_'))).toEqual([]);
  });

  /** `jq_1%3a1.6-2+b1_amd64.deb` → `pkg:deb/debian/jq@1:1.6-2%2Bb1` */
  function purl(file: string): string {
    const [name = '', version = ''] = file.split('_');
    const encoded = (text: string) => encodeURIComponent(text).replaceAll('%3A', ':');
    return `pkg:deb/debian/${encoded(name)}@${encoded(decodeURIComponent(version))}`;
  }
});

describe('an archive made for the test', () => {
  const PAYLOAD = 400_000;

  let workshop: DebianWorkshop;
  let upstream: FolderServer;
  let flat: FolderServer;
  let mirror: DebianMirror;
  let flatMirror: DebianMirror;

  beforeEach(async (context) => {
    requireTool(context, 'dpkg-deb', 'it is part of Debian');
    requireTool(context, 'gpg', 'apt-get install gnupg');
    requireTool(context, 'apt-ftparchive', 'apt-get install apt-utils');
    const reprepro = requireTool(context, 'reprepro', 'apt-get install reprepro');
    if (workshop) return;
    workshop = await DebianWorkshop.create();
    await writeFile(workshop.path('key.asc'), await workshop.publicKey());
    const tool = await Reprepro.create(workshop, reprepro);
    const payload = Buffer.from(Array.from({ length: PAYLOAD }, (_none, at) => (at * at * 7 + (at >> 3)) & 0xff));
    await tool.publish(await workshop.build({ name: 'big++', version: '2:1.0~rc1+b2', payload }));
    upstream = await FolderServer.start(tool.folder);
    mirror = await DebianMirror.start({ url: upstream.url, allow_private_network: true });
    flat = await FolderServer.start(await flatRepository());
    flatMirror = await DebianMirror.start({ url: flat.url, allow_private_network: true });
  });
  afterAll(async () => {
    await mirror?.stop();
    await flatMirror?.stop();
    await upstream?.cut();
    await flat?.cut();
    await workshop?.remove();
  });

  const signed = (url: string, suite: string) => `deb [signed-by=${workshop.path('key.asc')}] ${url} ${suite}`;

  /** Files beside each other, one with a colon in its name, as apt itself would call it. */
  async function flatRepository(): Promise<string> {
    const folder = workshop.path('flat');
    await mkdir(folder);
    const odd = await workshop.build({ name: 'odd', version: '3:1.0+a~b' });
    await rename(odd, workshop.path('flat', 'odd_3%3a1.0+a~b_all.deb'));
    const plain = await workshop.build({ name: 'plain', version: '1.0', depends: 'odd' });
    await copyFile(plain, workshop.path('flat', basename(plain)));
    const shell = 'apt-ftparchive packages . > Packages && gzip -k Packages && apt-ftparchive release . > Release';
    await workshop.run('sh', '-c', `cd ${folder} && ${shell}`);
    await workshop.sign(folder, ['Release.gpg']);
    return folder;
  }

  test('a download that was broken off is resumed', async () => {
    const machine = await fresh([signed(mirror.url, 'stable main')]);
    await machine.update();
    await download(machine, 'big++');
    const whole = await machine.archives();
    const [file = ''] = Object.keys(whole);
    const { mtime, size } = await stat(machine.path('var/cache/apt/archives', file));
    const partial = machine.path('var/cache/apt/archives/partial', file);
    await rename(machine.path('var/cache/apt/archives', file), partial);
    await truncate(partial, size - 1000);
    await utimes(partial, mtime, mtime);
    const said = await machine.succeed('-o', 'Debug::Acquire::http=true', 'install', '--download-only', '-y', 'big++');
    expect(said).toContain(`Range: bytes=${size - 1000}-`);
    expect(said).toMatch(/HTTP\/1\.1 206 /);
    expect(await machine.archives()).toEqual(whole);
  });

  test('a flat repository, signed beside its Release, is served', async () => {
    const machine = await fresh([signed(flatMirror.url, './')]);
    await machine.update();
    await download(machine, 'plain');
    expect(Object.keys(await machine.archives())).toEqual(['odd_3%3a1.0+a~b_all.deb', 'plain_1.0_all.deb']);
    expect((await flatMirror.pulled()).packages.length).toBe(2);
  });

  test('apt does not take it without its key', async () => {
    const machine = await fresh([`deb ${mirror.url} stable main`]);
    expect(await refused(machine, 'update')).toMatch(/NO_PUBKEY|is not signed/);
  });

  test('says that a suite is not there', async () => {
    const machine = await fresh([signed(mirror.url, 'nosuch main')]);
    expect(await refused(machine, 'update')).toMatch(/404 .*has no dists\/nosuch\/Release/);
  });

  test('is served while the upstream is away', async () => {
    await upstream.cut();
    await flat.cut();
    const machine = await fresh([signed(mirror.url, 'stable main'), signed(flatMirror.url, './')]);
    await machine.update();
    await download(machine, 'big++', 'plain');
    expect(Object.keys(await machine.archives()).length).toBe(3);
  });
});
