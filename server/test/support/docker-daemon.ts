import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program } from './program.ts';

/** Nobody listens there: the public registry, to which dockerd turns when a mirror refuses, is out of its reach. */
const NOWHERE = 'http://127.0.0.1:9';

/** dockerd with nothing in it, whose mirror of the public registry is a server on loopback. */
export class DockerDaemon {
  /** The path of a socket is short. */
  readonly #folder: string;
  readonly #program: Program;

  static async start(program: string, mirror: string): Promise<DockerDaemon> {
    const folder = await mkdtemp(join(tmpdir(), 'dkr-'));
    const settings = {
      'data-root': join(folder, 'data'),
      'exec-root': join(folder, 'exec'),
      pidfile: join(folder, 'pid'),
      hosts: [`unix://${join(folder, 's')}`],
      'storage-driver': 'vfs',
      bridge: 'none',
      iptables: false,
      'ip-forward': false,
      'ip-masq': false,
      'registry-mirrors': [mirror],
      'insecure-registries': ['127.0.0.0/8'],
    };
    await writeFile(join(folder, 'daemon.json'), JSON.stringify(settings));
    const started = await Program.start([program, '--config-file', join(folder, 'daemon.json')], {
      ready: /API listen on/,
      env: { HTTPS_PROXY: NOWHERE, HTTP_PROXY: NOWHERE, NO_PROXY: '127.0.0.1' },
    });
    return new DockerDaemon(folder, started);
  }

  private constructor(folder: string, program: Program) {
    this.#folder = folder;
    this.#program = program;
  }

  /** For `DOCKER_HOST`. */
  get host(): string {
    return `unix://${join(this.#folder, 's')}`;
  }

  async stop(): Promise<void> {
    await this.#program.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
