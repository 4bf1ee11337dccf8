import { DockerRegistry } from './docker-registry.ts';
import { type Pull, ServerProcess } from './server-process.ts';

/** What a remote may have besides its name and address. */
export type Policy = Readonly<Record<string, unknown>>;

/** An index is asked for again at once, so that a test sees what the server does while the upstream is away. */
const POLICY = { index_ttl: '1s' };

/** docker-registry, and a server with a virtual repository, `team`, whose only member, `hub`, mirrors it. */
export class MirroredRegistry {
  readonly upstream: DockerRegistry;
  readonly server: ServerProcess;
  readonly #seen = new Set<string>();

  /** `virtual`: the name of the virtual repository. */
  static async start(program: string, virtual = 'team'): Promise<MirroredRegistry> {
    const upstream = await DockerRegistry.start(program);
    const server = await ServerProcess.start('--defaults', 'false');
    const mirrored = new MirroredRegistry(upstream, server);
    await server.manage('POST', '/remotes', mirrored.#remote(POLICY));
    await server.manage('POST', '/virtuals', { name: virtual, format: 'oci', members: ['hub'] });
    return mirrored;
  }

  private constructor(upstream: DockerRegistry, server: ServerProcess) {
    this.upstream = upstream;
    this.server = server;
  }

  /** Of the server: `127.0.0.1:<port>`. */
  get host(): string {
    return new URL(this.server.url).host;
  }

  /** From now on these are the remote's rules, in place of those of before. */
  async configure(policy: Policy): Promise<void> {
    await this.server.manage('PUT', '/remotes/hub', this.#remote({ ...POLICY, ...policy }));
  }

  /** From now on the remote refuses the image; gives the sentence that says so. */
  async block(name: string): Promise<string> {
    await this.configure({ blocklist: [`^${name}$`] });
    return `${name} is on the blocklist of "hub" (^${name}$)`;
  }

  /** What was let through since it was last asked: sorted paths, and where their bytes came from. */
  async pulled(): Promise<{ paths: string[]; caches: Set<string> }> {
    const rows = (await this.server.pulls()).filter(({ id }) => !this.#seen.has(id));
    for (const { id } of rows) this.#seen.add(id);
    const allowed = rows.filter(({ decision }) => decision === 'allowed');
    return { paths: allowed.map(pathOf).sort(), caches: new Set(allowed.map(({ cache }) => cache)) };
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await this.upstream.stop();
  }

  #remote(policy: Policy): object {
    return { name: 'hub', format: 'oci', url: this.upstream.url, allow_private_network: true, ...policy };
  }
}

const pathOf = ({ path }: Pull): string => path;
