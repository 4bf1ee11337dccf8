import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fillSmallRoot } from './small-root.ts';

const run = promisify(execFile);

/** What an image says of itself, as far as these tests look at it. */
export interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Cmd: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Volumes: Readonly<Record<string, unknown>>;
  readonly ExposedPorts: Readonly<Record<string, unknown>>;
  readonly StopSignal: string;
  readonly Labels: Readonly<Record<string, string>>;
}

export interface Ended {
  readonly code: number;
  readonly said: string;
}

interface Tools {
  readonly buildah: string;
  readonly podman: string;
}

/** buildah and podman with images and containers in a folder of their own, on a machine that may itself be a container. */
export class ContainerTools {
  readonly folder: string;
  readonly #tools: Tools;
  readonly #driver: 'overlay' | 'vfs';

  static async open(tools: Tools): Promise<ContainerTools> {
    const folder = await mkdtemp(join(tmpdir(), 'entrepot-image-'));
    await mkdir(join(folder, 'tmp'));
    await writeFile(join(folder, 'policy.json'), JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }));
    const layered = new ContainerTools(folder, tools, 'overlay');
    // In a folder that is itself an overlay, every container is a copy of its image.
    return (await layered.tried('info')).code === 0 ? layered : new ContainerTools(folder, tools, 'vfs');
  }

  private constructor(folder: string, tools: Tools, driver: 'overlay' | 'vfs') {
    this.folder = folder;
    this.#tools = tools;
    this.#driver = driver;
  }

  /** `localhost/<name>`: an image with Node, npm and a shell, made from this machine. */
  async base(name: string): Promise<string> {
    const context = join(this.folder, 'base');
    await mkdir(join(context, 'root'), { recursive: true });
    const environment = await fillSmallRoot(join(context, 'root'));
    const variables = Object.entries(environment).map(([variable, value]) => `ENV ${variable}=${value}\n`);
    const path = 'ENV PATH=/usr/local/bin:/usr/bin\n';
    await writeFile(join(context, 'Dockerfile'), `FROM scratch\nCOPY root /\n${path}${variables.join('')}`);
    await this.build(name, context);
    return `localhost/${name}`;
  }

  /** As `docker build` does; its network is the machine's. */
  async build(name: string, context: string, options: Readonly<Record<string, string>> = {}): Promise<void> {
    const given = Object.entries(options).flatMap(([variable, value]) => ['--build-arg', `${variable}=${value}`]);
    const policy = ['--signature-policy', join(this.folder, 'policy.json')];
    const settings = ['--isolation', 'chroot', '--network', 'host', '--format', 'docker', '--pull-never'];
    await this.#succeed(this.#tools.buildah, ['bud', ...policy, ...settings, ...given, '-t', name, context]);
  }

  async configOf(image: string): Promise<ImageConfig> {
    const [{ Config }] = JSON.parse(await this.podman('image', 'inspect', image));
    return Config;
  }

  /** Throws with everything it printed when it fails. */
  podman(...args: readonly string[]): Promise<string> {
    // Neither crun nor systemd can be counted on in a container.
    return this.#succeed(this.#tools.podman, ['--runtime', 'runc', '--cgroup-manager', 'cgroupfs', ...args]);
  }

  async tried(...args: readonly string[]): Promise<Ended> {
    try {
      return { code: 0, said: await this.podman(...args) };
    } catch (error) {
      const { code, stdout, stderr } = error as { code?: number; stdout?: string; stderr?: string };
      return { code: Number(code ?? -1), said: `${stdout ?? ''}${stderr ?? ''}` };
    }
  }

  async remove(): Promise<void> {
    await this.tried('rm', '--all', '--force');
    await rm(this.folder, { recursive: true, force: true });
  }

  async #succeed(program: string, [command = '', ...args]: readonly string[]): Promise<string> {
    const storage = ['--root', join(this.folder, 'images'), '--runroot', join(this.folder, 'run')];
    const { stdout } = await run(program, [...storage, '--storage-driver', this.#driver, command, ...args], {
      env: { ...process.env, TMPDIR: join(this.folder, 'tmp') },
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  }
}
