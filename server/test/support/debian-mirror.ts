import { type Pull, ServerProcess } from './server-process.ts';

/** A server with a virtual repository, `team`, whose only member, `archive`, mirrors a Debian repository. */
export class DebianMirror {
  readonly server: ServerProcess;
  readonly #remote: Readonly<Record<string, unknown>>;
  readonly #seen = new Set<string>();

  /** `remote`: its address, and how it is reached. */
  static async start(remote: Readonly<Record<string, unknown>>): Promise<DebianMirror> {
    const server = await ServerProcess.start('--defaults', 'false');
    const mirror = new DebianMirror(server, { name: 'archive', format: 'debian', ...remote });
    await server.manage('POST', '/remotes', mirror.#remote);
    await server.manage('POST', '/virtuals', { name: 'team', format: 'debian', members: ['archive'] });
    return mirror;
  }

  private constructor(server: ServerProcess, remote: Readonly<Record<string, unknown>>) {
    this.server = server;
    this.#remote = remote;
  }

  /** Of the virtual repository, as sources.list has it. */
  get url(): string {
    return `${this.server.url}/team`;
  }

  /** From now on these are the remote's rules, in place of those of before. */
  async configure(policy: Readonly<Record<string, unknown>>): Promise<void> {
    await this.server.manage('PUT', '/remotes/archive', { ...this.#remote, ...policy });
  }

  /** From now on the remote refuses the package; gives the sentence that says so. */
  async block(name: string): Promise<string> {
    await this.configure({ blocklist: [`^${name}$`] });
    return `${name} is on the blocklist of "archive" (^${name}$)`;
  }

  /** Packages on record since it was last asked: sorted package URLs, one for each file that was served. */
  async pulled(): Promise<{ packages: string[]; caches: Set<string> }> {
    const rows = (await this.server.pulls()).filter(({ id }) => !this.#seen.has(id));
    for (const { id } of rows) this.#seen.add(id);
    const packages = rows.filter(({ role, decision }) => role === 'package' && decision === 'allowed');
    return { packages: packages.map(purlOf).sort(), caches: new Set(packages.map(({ cache }) => cache)) };
  }

  stop(): Promise<void> {
    return this.server.stop();
  }
}

function purlOf({ purl, path }: Pull): string {
  if (purl === undefined) throw new Error(`The pull of ${path} names no package.`);
  return purl;
}
