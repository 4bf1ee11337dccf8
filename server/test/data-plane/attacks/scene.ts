import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { afterAll, expect } from 'vitest';
import { FakeUpstream } from '../../support/fake-upstream.ts';
import { Plane } from '../../support/plane.ts';
import type { SampleFile, SampleIndex, SampleRelease } from '../samples/releases.ts';
import type { Victim } from './victims.ts';

export const DAY = 86_400_000;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

let plane: Promise<Plane> | undefined;
let opened = 0;

/** One for all scenes of a file: what they declare has names of its own, and goes with them. */
const sharedPlane = (): Promise<Plane> => {
  plane ??= Plane.start();
  return plane;
};
afterAll(async () => (await plane)?.stop());

/** One format's repositories over an upstream of their own: a remote, a virtual where clients look, one that merges. */
export class Scene {
  readonly upstream: FakeUpstream;
  readonly victim: Victim;
  readonly plane: Plane;
  readonly #nothing: FakeUpstream;
  /** Where clients look, while no other scene is there. */
  readonly virtual: string;
  readonly remote: string;
  readonly other: string;
  readonly union: string;
  readonly #rules = new Map<string, readonly [kind: string, name: string]>();
  readonly #agent = new Agent({ keepAlive: true });

  static async open(victim: Victim, releases: readonly SampleRelease[]): Promise<Scene> {
    const [plane, upstream, nothing] = await Promise.all([sharedPlane(), FakeUpstream.start(), FakeUpstream.start()]);
    nothing.quirk('*', { kind: 'status', status: 404 });
    const scene = new Scene(victim, plane, upstream, nothing);
    scene.publish(releases).declare({});
    const { virtual, remote, other, union } = scene;
    const { id } = victim.format;
    plane.remote(other, id, nothing.url).virtual(virtual, id, [remote]);
    if (scene.merges) plane.virtual(union, id, [other, remote], { merge: 'union' });
    return scene;
  }

  private constructor(victim: Victim, plane: Plane, upstream: FakeUpstream, nothing: FakeUpstream) {
    this.victim = victim;
    this.plane = plane;
    this.upstream = upstream;
    this.#nothing = nothing;
    const { mount } = victim.format.traits;
    this.virtual = plane.engine.repository(mount) ? `${mount}-${opened}` : mount;
    this.remote = `${mount}-public-${opened}`;
    this.other = `${mount}-other-${opened}`;
    this.union = `${mount}-union-${opened}`;
    opened += 1;
  }

  /** Signed indexes are not merged. */
  get merges(): boolean {
    return !this.victim.format.traits.signedIndexes;
  }

  /** Where its repositories are found: the first is what clients use. */
  get mounts(): readonly string[] {
    const { virtual, remote, union } = this;
    const { root } = this.victim.format.traits;
    const below = root === undefined ? '' : `/${root}`;
    const own = [`/${virtual}`, `/${remote}`, ...(this.merges ? [`/${union}`] : [])].map((name) => `${below}${name}`);
    const kinds = [`virtual/${virtual}`, `remote/${remote}`].map((at) => `/api/v1/${at}${below}`);
    return [...own, ...kinds, ...this.#rooted(root)];
  }

  #rooted(root: string | undefined): readonly string[] {
    if (root === undefined) return [];
    const isMounted = this.virtual === this.victim.format.traits.mount;
    return [`/${this.virtual}/${root}`, ...(isMounted ? [`/${root}`] : [])];
  }

  /** A block, cooldown, exemption or freeze, from now on. */
  rule(kind: string, spec: Readonly<Record<string, unknown>>): this {
    const name = String(spec['name']);
    this.#rules.set(`${kind} ${name}`, [kind, name]);
    this.plane.rule(kind, spec);
    return this;
  }

  lift(kind: string, name: string): this {
    this.#rules.delete(`${kind} ${name}`);
    this.plane.lift(kind, name);
    return this;
  }

  /** The remote, with these fields; what is here of it stays. */
  declare(spec: Readonly<Record<string, unknown>>): this {
    const { format, sample } = this.victim;
    this.plane.remote(this.remote, format.id, this.upstream.url, { index_ttl: '30d', ...sample.spec, ...spec });
    return this;
  }

  /** The upstream has these releases, and no others. */
  publish(releases: readonly SampleRelease[]): this {
    for (const [path, reply] of Object.entries(this.victim.sample.upstream(releases)))
      this.upstream.respond(path, reply);
    return this;
  }

  /** Sends a path exactly as it stands. */
  ask(path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<Answer> {
    const { hostname, port } = new URL(this.plane.url);
    return new Promise((resolve) => {
      const sent = request({ hostname, port, path, method, headers, agent: this.#agent }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', () => {});
        response.on('close', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
        );
      });
      sent.on('error', () => resolve({ status: 0, headers: {}, body: Buffer.alloc(0) })).end();
    });
  }

  /** Below the repository that clients use. */
  get(path: string): Promise<Answer> {
    return this.ask(`${this.mounts[0]}${path}`);
  }

  index({ path, accept }: SampleIndex, mount = this.mounts[0]): Promise<Answer> {
    return this.ask(`${mount}${path}`, accept === undefined ? {} : { accept });
  }

  /** What a client of the format does before it asks for files. */
  async listed(): Promise<void> {
    for (const listing of this.victim.sample.listing) expect((await this.index(listing)).status).toBeLessThan(404);
  }

  /** How many files of a release the upstream was asked to send, besides what must be read before it can be judged. */
  sent({ file, beside }: Pick<SampleRelease, 'file' | 'beside'>): number {
    const files = [file, ...beside].filter(({ isRead }) => !isRead);
    return files.reduce((total, { upstream }) => total + this.upstream.count(upstream, 'GET'), 0);
  }

  async close(): Promise<void> {
    this.#agent.destroy();
    for (const [kind, name] of this.#rules.values()) this.plane.lift(kind, name);
    for (const name of [this.union, this.virtual, this.other, this.remote]) this.plane.withdraw(name);
    this.plane.ahead = 0;
    await Promise.all([this.upstream.stop(), this.#nothing.stop()]);
  }
}

/** 403 with the reason, and nothing of the file. */
export function expectRefused(answer: Answer, { bytes }: SampleFile, what: string): void {
  expect({ what, status: answer.status }).toEqual({ what, status: 403 });
  expect(answer.headers['x-entrepot-reason'], what).toMatch(/\w/);
  expectNothingOf(answer, bytes, what);
}

export function expectNothingOf({ body }: Answer, bytes: Buffer, what: string): void {
  for (const at of [0, Math.floor(bytes.length / 2), bytes.length - 16]) {
    const part = bytes.subarray(Math.max(0, at), Math.max(0, at) + 16);
    expect(body.includes(part), `${what}: bytes from ${at} on`).toBe(false);
  }
}

export function expectServed(answer: Answer, { bytes }: SampleFile, what: string): void {
  const reason = String(answer.headers['x-entrepot-reason'] ?? '');
  expect({ what, status: answer.status, reason }).toEqual({ what, status: 200, reason: expect.any(String) });
  expect({ what, size: answer.body.length }).toEqual({ what, size: bytes.length });
  expect(answer.body.equals(bytes), what).toBe(true);
}
