import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Image } from './oci-image.ts';
import { Program } from './program.ts';

const ADDRESS = /listening on (127\.0\.0\.1:\d+)/;

/** Debian's docker-registry on loopback, an upstream that no test has written. */
export class DockerRegistry {
  readonly #program: string;
  readonly #folder: string;
  #running: Program | undefined;
  #host = '';

  static async start(program: string): Promise<DockerRegistry> {
    const registry = new DockerRegistry(program, await mkdtemp(join(tmpdir(), 'entrepot-registry-')));
    await registry.#launch('127.0.0.1:0');
    return registry;
  }

  private constructor(program: string, folder: string) {
    this.#program = program;
    this.#folder = folder;
  }

  /** `127.0.0.1:<port>`, the same for its whole life. */
  get host(): string {
    return this.#host;
  }

  get url(): string {
    return `http://${this.#host}`;
  }

  /** Requests it has answered since it was last joined: `GET /v2/team/app/manifests/v1`. */
  get asked(): string[] {
    const line = /"(?:GET|HEAD) \/v2\/[^ "]+/g;
    return (this.#running?.said.match(line) ?? []).map((request) => request.slice(1));
  }

  /** `name`: with its folders, without a tag. */
  async push(name: string, tag: string, { blobs, manifests }: Image): Promise<void> {
    for (const { digest, bytes } of blobs) await this.#upload(name, digest, bytes);
    for (const [at, { digest, type, bytes }] of manifests.entries()) {
      const reference = at === manifests.length - 1 ? tag : digest;
      await this.#request('PUT', `/v2/${name}/manifests/${reference}`, bytes, { 'content-type': type });
    }
  }

  /** It is away until it is joined again. */
  async cut(): Promise<void> {
    await this.#running?.stop();
  }

  async join(): Promise<void> {
    await this.cut();
    await this.#launch(this.#host);
  }

  async stop(): Promise<void> {
    await this.cut();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #upload(name: string, digest: string, bytes: Buffer): Promise<void> {
    const begun = await this.#request('POST', `/v2/${name}/blobs/uploads/`);
    const place = new URL(begun.headers.get('location') ?? '', this.url);
    place.searchParams.set('digest', digest);
    await this.#request('PUT', `${place.pathname}${place.search}`, bytes, {
      'content-type': 'application/octet-stream',
    });
  }

  async #request(
    method: string,
    path: string,
    body?: Buffer,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    const sent = body === undefined ? {} : { body: new Uint8Array(body) };
    const response = await fetch(`${this.url}${path}`, { method, headers, ...sent });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return response;
  }

  async #launch(address: string): Promise<void> {
    const file = join(this.#folder, 'registry.json');
    // JSON is YAML.
    const settings = {
      version: '0.1',
      log: { level: 'info', formatter: 'text' },
      storage: { filesystem: { rootdirectory: join(this.#folder, 'data') }, delete: { enabled: true } },
      http: { addr: address },
    };
    await writeFile(file, JSON.stringify(settings));
    this.#running = await Program.start([this.#program, 'serve', file], { ready: ADDRESS });
    this.#host = ADDRESS.exec(this.#running.said)?.[1] ?? '';
  }
}
