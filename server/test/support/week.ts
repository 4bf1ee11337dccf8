import { expect } from 'vitest';
import { FakeUpstream } from './fake-upstream.ts';
import type { Reply } from './fake-upstream-answer.ts';
import { Plane } from './plane.ts';

export const DAY = 86_400_000;
export const ago = (days: number): string => new Date(Date.now() - days * DAY).toISOString();
/** As an HTTP date. */
export const modifiedAgo = (days: number): string => new Date(Date.now() - days * DAY).toUTCString();

/** Repositories of a fake upstream under a cooldown of a week. */
export class Week {
  readonly upstream: FakeUpstream;
  readonly plane: Plane;

  private constructor(upstream: FakeUpstream, plane: Plane) {
    this.upstream = upstream;
    this.plane = plane;
  }

  static async start(): Promise<Week> {
    return new Week(await FakeUpstream.start(), await Plane.start());
  }

  async stop(): Promise<void> {
    await this.plane.stop();
    await this.upstream.stop();
  }

  /** A remote behind a virtual that has the format's name. */
  serve(format: string): void {
    const remote = `${format}-public`;
    this.plane
      .remote(remote, format, this.upstream.url, { index_ttl: '30d' })
      .virtual(format, format, [remote])
      .rule('cooldown', { name: 'week', default: '7d' });
  }

  say(path: string, body: string | Buffer, type: string, reply: Reply = {}): void {
    this.upstream.respond(path, { body, headers: { 'content-type': type }, ...reply });
  }

  async got(path: string, accept = '*/*') {
    const response = await this.plane.get(path, { accept });
    const { status, headers } = response;
    const bytes = Buffer.from(await response.arrayBuffer());
    return {
      status,
      tag: headers.get('etag'),
      reason: headers.get('x-entrepot-reason'),
      type: headers.get('content-type') ?? '',
      bytes,
      text: `${bytes}`,
    };
  }

  async json(path: string, accept?: string) {
    const { text, status } = await this.got(path, accept);
    expect([path, status, text]).toEqual([path, 200, text]);
    return JSON.parse(text);
  }

  /** Every one of them is refused by the rule of that name, and says so; alone, or with an Accept. */
  async refuses(paths: readonly (string | readonly [string, string])[], rule = 'week'): Promise<void> {
    for (const each of paths) {
      const [path, accept] = typeof each === 'string' ? [each, undefined] : each;
      const { status, reason, text } = await this.got(path, accept);
      expect([path, status]).toEqual([path, 403]);
      expect(`${reason} ${text}`, path).toContain(rule);
    }
  }
}
