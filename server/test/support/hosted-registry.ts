import { FakeUpstream } from './fake-upstream.ts';
import { ServerProcess } from './server-process.ts';

/** A server with a hosted repository, `own`, a remote, `public`, and a virtual, `team`, that asks them in this order. */
export class HostedRegistry {
  readonly server: ServerProcess;
  readonly upstream: FakeUpstream;

  static async start(format: string): Promise<HostedRegistry> {
    const upstream = await FakeUpstream.start();
    const server = await ServerProcess.start('--defaults', 'false');
    await server.manage('POST', '/hosted', { name: 'own', format });
    const remote = { name: 'public', format, url: upstream.url, allow_private_network: true };
    await server.manage('POST', '/remotes', remote);
    await server.manage('POST', '/virtuals', { name: 'team', format, members: ['own', 'public'] });
    return new HostedRegistry(server, upstream);
  }

  private constructor(server: ServerProcess, upstream: FakeUpstream) {
    this.server = server;
    this.upstream = upstream;
  }

  /** Of the hosted repository. */
  get own(): string {
    return `${this.server.url}/own/`;
  }

  /** Of the virtual repository. */
  get team(): string {
    return `${this.server.url}/team/`;
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await this.upstream.stop();
  }
}
