import { PublicUpstream } from './public-upstream.ts';
import { type Pull, ServerProcess } from './server-process.ts';

export type ClientFormat = 'npm' | 'pypi' | 'cargo' | 'go' | 'maven';

/** A server with one virtual repository, `team`, whose only member mirrors the public registry of a format. */
export class ClientRegistry {
  readonly format: ClientFormat;
  readonly server: ServerProcess;
  readonly upstream: PublicUpstream;
  readonly #seen = new Set<string>();

  static async start(format: ClientFormat): Promise<ClientRegistry> {
    const upstream = await PublicUpstream.start();
    const server = await ServerProcess.start('--defaults', 'false');
    await server.manage('POST', '/remotes', { name: 'public', format, proxy_url: upstream.url });
    await server.manage('POST', '/virtuals', { name: 'team', format, members: ['public'] });
    return new ClientRegistry(format, server, upstream);
  }

  private constructor(format: ClientFormat, server: ServerProcess, upstream: PublicUpstream) {
    this.format = format;
    this.server = server;
    this.upstream = upstream;
  }

  /** Of the virtual repository. */
  get url(): string {
    return `${this.server.url}/team/`;
  }

  /** From now on the remote refuses the package; gives the sentence that says so. */
  async block(name: string): Promise<string> {
    const blocklist = [`^${name}$`];
    const { format, upstream } = this;
    await this.server.manage('PUT', '/remotes/public', { name: 'public', format, proxy_url: upstream.url, blocklist });
    return `${name} is on the blocklist of "public" (^${name}$)`;
  }

  /** Packages on record since it was last asked: sorted package URLs, one for each file that was served. */
  async pulled(): Promise<{ packages: string[]; caches: Set<string> }> {
    const rows = (await this.server.pulls()).filter(({ id }) => !this.#seen.has(id));
    for (const { id } of rows) this.#seen.add(id);
    const packages = rows.filter(({ role, decision }) => role === 'package' && decision === 'allowed');
    return { packages: packages.map(purlOf).sort(), caches: new Set(packages.map(({ cache }) => cache)) };
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await this.upstream.stop();
  }
}

function purlOf({ purl, path }: Pull): string {
  if (purl === undefined) throw new Error(`The pull of ${path} names no package.`);
  return purl;
}
