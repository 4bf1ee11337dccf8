import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { FreshMachine } from './clients.ts';

/** A .deb as it is to be built. */
export interface Deb {
  readonly name: string;
  readonly version: string;
  readonly architecture?: string;
  readonly depends?: string;
  /** Besides this, it holds one file that says its name and version. */
  readonly payload?: Buffer;
}

/** A machine that publishes: folders of its own, and a key that is thrown away with it. */
export class DebianWorkshop {
  readonly machine: FreshMachine;
  readonly #gnupg: string;
  #fingerprint = '';

  static async create(): Promise<DebianWorkshop> {
    // gpg's socket is below its folder, and the path of a socket is short.
    const workshop = new DebianWorkshop(await FreshMachine.create(), await mkdtemp(join(tmpdir(), 'key-')));
    await workshop.#makeKey();
    return workshop;
  }

  private constructor(machine: FreshMachine, gnupg: string) {
    this.machine = machine;
    this.#gnupg = gnupg;
  }

  get fingerprint(): string {
    return this.#fingerprint;
  }

  /** Absolute path of a file or folder of the workshop. */
  path(...names: readonly string[]): string {
    return join(this.machine.project, ...names);
  }

  run(...command: readonly string[]): Promise<string> {
    return this.machine.succeed(command, { GNUPGHOME: this.#gnupg, SOURCE_DATE_EPOCH: '1767225600' });
  }

  /** As `signed-by` takes it. */
  async publicKey(): Promise<string> {
    return this.run('gpg', '--batch', '--armor', '--export', this.#fingerprint);
  }

  /** Gives the file. */
  async build({ name, version, architecture = 'all', depends, payload }: Deb): Promise<string> {
    const folder = this.path('build', `${name}_${version}`);
    const control = [
      `Package: ${name}`,
      `Version: ${version}`,
      'Section: misc',
      'Priority: optional',
      `Architecture: ${architecture}`,
      'Maintainer: A Test <test@example.invalid>',
      ...(depends === undefined ? [] : [`Depends: ${depends}`]),
      `Description: ${name} for a test`,
      '',
    ].join('\n');
    await mkdir(join(folder, 'DEBIAN'), { recursive: true });
    await mkdir(join(folder, 'usr/share', name), { recursive: true });
    await writeFile(join(folder, 'DEBIAN/control'), control);
    await writeFile(join(folder, 'usr/share', name, 'version'), `${name} ${version}\n`);
    if (payload) await writeFile(join(folder, 'usr/share', name, 'payload'), payload);
    const file = this.path(`${name}_${version.replace(/^\d+:/, '')}_${architecture}.deb`);
    await this.run('dpkg-deb', '--build', '--root-owner-group', '-Zgzip', folder, file);
    return file;
  }

  /** Signs `<folder>/Release` inside of itself, beside it, or both. */
  async sign(folder: string, ways: readonly ('InRelease' | 'Release.gpg')[]): Promise<void> {
    const sign = ['gpg', '--batch', '--yes', '--armor', '--local-user', this.#fingerprint];
    const release = join(folder, 'Release');
    for (const way of ways) {
      const how = way === 'InRelease' ? '--clear-sign' : '--detach-sign';
      await this.run(...sign, '--output', join(folder, way), how, release);
    }
  }

  async remove(): Promise<void> {
    await this.run('gpgconf', '--kill', 'gpg-agent');
    await this.machine.remove();
    await rm(this.#gnupg, { recursive: true, force: true });
  }

  async #makeKey(): Promise<void> {
    const made = await this.run(
      ...['gpg', '--batch', '--passphrase', '', '--status-fd', '1', '--quick-gen-key'],
      ...['A Test <test@example.invalid>', 'rsa3072', 'sign', 'never'],
    );
    this.#fingerprint = /KEY_CREATED \S+ ([0-9A-F]{40})/.exec(made)?.[1] ?? '';
  }
}

/** Publishes with reprepro: signed, without by-hash, only the newest version of a package. */
export class Reprepro {
  readonly #workshop: DebianWorkshop;
  readonly #program: string;

  static async create(workshop: DebianWorkshop, program: string): Promise<Reprepro> {
    await mkdir(workshop.path('reprepro/conf'), { recursive: true });
    const distribution = [
      'Origin: A Test',
      'Label: A Test',
      'Codename: stable',
      'Architectures: amd64 arm64 source',
      'Components: main',
      `SignWith: ${workshop.fingerprint}`,
      '',
    ];
    await writeFile(workshop.path('reprepro/conf/distributions'), distribution.join('\n'));
    return new Reprepro(workshop, program);
  }

  private constructor(workshop: DebianWorkshop, program: string) {
    this.#workshop = workshop;
    this.#program = program;
  }

  /** What a mirror of it serves. */
  get folder(): string {
    return this.#workshop.path('reprepro');
  }

  async publish(...files: readonly string[]): Promise<void> {
    await this.#workshop.run(this.#program, '--silent', '-b', this.folder, 'includedeb', 'stable', ...files);
  }
}

/** Publishes with aptly: signed, by-hash, every version. */
export class Aptly {
  readonly #workshop: DebianWorkshop;
  readonly #program: string;
  #isPublished = false;

  static async create(workshop: DebianWorkshop, program: string): Promise<Aptly> {
    const settings = { rootDir: workshop.path('aptly'), architectures: ['amd64', 'arm64'] };
    await writeFile(workshop.path('aptly.json'), JSON.stringify(settings));
    const aptly = new Aptly(workshop, program);
    await aptly.#run('repo', 'create', '-distribution=stable', '-component=main', 'test');
    return aptly;
  }

  private constructor(workshop: DebianWorkshop, program: string) {
    this.#workshop = workshop;
    this.#program = program;
  }

  /** What a mirror of it serves. */
  get folder(): string {
    return this.#workshop.path('aptly/public');
  }

  async publish(...files: readonly string[]): Promise<void> {
    await this.#run('repo', 'add', 'test', ...files);
    const signing = ['-batch', `-gpg-key=${this.#workshop.fingerprint}`];
    if (this.#isPublished) await this.#run('publish', 'update', ...signing, 'stable');
    else await this.#run('publish', 'repo', ...signing, '-acquire-by-hash', '-architectures=amd64', 'test');
    this.#isPublished = true;
  }

  #run(...args: readonly string[]): Promise<string> {
    return this.#workshop.run(this.#program, `-config=${this.#workshop.path('aptly.json')}`, ...args);
  }
}

/**
 * Brings a mirror of a repository up to date as mirrors are: one file after the other, packages first and what is gone
 * last. In between, for `pause` milliseconds, it has the new lists with the old Release, or the other way round.
 */
export async function synchronise(from: string, to: string, first: 'lists' | 'release', pause: number): Promise<void> {
  const files = await filesOf(from);
  const isRelease = (file: string) => /\/(?:InRelease|Release|Release\.gpg)$/.test(file);
  const lists = files.filter((file) => file.startsWith('dists/') && !isRelease(file));
  const stages = [lists, files.filter(isRelease)];
  if (first === 'release') stages.reverse();
  await copyAll(files.filter((file) => file.startsWith('pool/')));
  await copyAll(stages[0] ?? []);
  await new Promise((resolve) => setTimeout(resolve, pause));
  await copyAll(stages[1] ?? []);
  for (const file of await filesOf(to)) if (!files.includes(file)) await rm(join(to, file));

  async function copyAll(names: readonly string[]): Promise<void> {
    for (const name of names) {
      const file = join(to, name);
      await mkdir(dirname(file), { recursive: true });
      await cp(join(from, name), `${file}.new`, { preserveTimestamps: true });
      await rename(`${file}.new`, file);
    }
  }
}

/** Of `dists` and `pool`, in the order of their names. */
async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const names = files.map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  return names.filter((name) => /^(?:dists|pool)\//.test(name)).sort();
}

/** A repository the machine itself gets its packages from. */
export interface OwnArchive {
  /** Without a trailing slash. */
  readonly url: string;
  readonly suite: string;
  readonly component: string;
  readonly keyring: string;
}

/** The first one the system's apt knows for the release that runs here. */
export async function ownArchive(): Promise<OwnArchive> {
  const system = await readFile('/etc/os-release', 'utf8');
  const field = (name: string) => new RegExp(`^${name}="?([^"\n]+)`, 'm').exec(system)?.[1] ?? '';
  const format = '$(CREATED_BY) $(REPO_URI) $(RELEASE) $(COMPONENT)';
  const machine = await FreshMachine.create();
  const targets = await machine.succeed(['apt-get', 'indextargets', '--format', format]);
  await machine.remove();
  for (const line of targets.split('\n')) {
    const [made, url = '', suite, component] = line.split(' ');
    if (made !== 'Packages' || suite !== field('VERSION_CODENAME') || component === undefined) continue;
    const keyring = `/usr/share/keyrings/${field('ID')}-archive-keyring.gpg`;
    return { url: url.replace(/\/$/, ''), suite, component, keyring };
  }
  throw new Error(`The system's apt has no source for ${field('PRETTY_NAME')}:\n${targets}`);
}
