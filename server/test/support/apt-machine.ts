import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FreshMachine, type Outcome } from './clients.ts';

/** Nobody listens there. */
const NOWHERE = 'http://127.0.0.1:9';

const FOLDERS = [
  'etc/apt/apt.conf.d',
  'etc/apt/preferences.d',
  'etc/apt/trusted.gpg.d',
  'var/lib/dpkg',
  'var/lib/apt/lists/partial',
  'var/cache/apt/archives/partial',
];

/** apt with a root of its own, where nothing is installed and nothing of the system's settings counts. */
export class AptMachine {
  readonly machine: FreshMachine;

  /** `sources`: lines of sources.list. `settings`: of apt.conf. */
  static async create(sources: readonly string[], settings: readonly string[] = []): Promise<AptMachine> {
    const apt = new AptMachine(await FreshMachine.create());
    for (const folder of FOLDERS) await mkdir(apt.path(folder), { recursive: true });
    await writeFile(apt.path('var/lib/dpkg/status'), '');
    await writeFile(apt.path('etc/apt/sources.list'), `${sources.join('\n')}\n`);
    const own = [
      `Dir "${apt.path()}/";`,
      `Dir::State::status "${apt.path('var/lib/dpkg/status')}";`,
      'APT::Architecture "amd64";',
      'APT::Architectures { "amd64"; };',
      'APT::Install-Recommends "false";',
      'APT::Sandbox::User "root";',
      'Acquire::Languages "none";',
      'Acquire::Retries "0";',
      ...settings,
    ];
    await writeFile(apt.path('apt.conf'), `${own.join('\n')}\n`);
    return apt;
  }

  private constructor(machine: FreshMachine) {
    this.machine = machine;
  }

  path(...names: readonly string[]): string {
    return join(this.machine.project, ...names);
  }

  /** `apt-get`, which reaches nothing but loopback. */
  get(...args: readonly string[]): Promise<Outcome> {
    return this.#run('apt-get', ...args);
  }

  /** Throws with everything that apt-get printed when it fails. */
  async succeed(...args: readonly string[]): Promise<string> {
    const { code, text } = await this.get(...args);
    if (code !== 0) throw new Error(`apt-get ${args.join(' ')} ended with ${code}:\n${text}`);
    return text;
  }

  /** As `apt-get update`, where a list that could not be fetched is an error, as one with a wrong signature or digest is. */
  update(): Promise<string> {
    return this.succeed('update', '--error-on=any');
  }

  /** Versions of a package that the lists have, newest first. */
  async versions(name: string): Promise<string[]> {
    const { text } = await this.#run('apt-cache', 'madison', name);
    return [...text.matchAll(/^ *\S+ \| +(\S+) \|.* Packages$/gm)].map(([, version = '']) => version);
  }

  /** Digests of the packages in its cache, by file name. */
  async archives(): Promise<Record<string, string>> {
    const folder = this.path('var/cache/apt/archives');
    const files = (await readdir(folder)).filter((file) => file.endsWith('.deb')).sort();
    return Object.fromEntries(await Promise.all(files.map(async (file) => [file, await sha256(join(folder, file))])));
  }

  remove(): Promise<void> {
    return this.machine.remove();
  }

  #run(...command: readonly string[]): Promise<Outcome> {
    return this.machine.run(command, {
      APT_CONFIG: this.path('apt.conf'),
      http_proxy: NOWHERE,
      DEBIAN_FRONTEND: 'noninteractive',
    });
  }
}

/** Of a file, in lower-case hex. */
export async function sha256(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
}
