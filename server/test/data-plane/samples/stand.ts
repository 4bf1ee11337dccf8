import { expect } from 'vitest';
import { FAULT_CODES, FAULT_STATUS } from '../../../src/engine/fault.ts';
import type { AnyFormat } from '../../../src/engine/format.ts';
import type { ObjectRow } from '../../../src/ledger/ledger.ts';
import { type Answered, ask } from '../../support/ask.ts';
import { FakeUpstream } from '../../support/fake-upstream.ts';
import type { Reply } from '../../support/fake-upstream-answer.ts';
import type { Quirk } from '../../support/fake-upstream-quirks.ts';
import type { Plane } from '../../support/plane.ts';
import type { Sample, SampleRequest } from './sample.ts';

export const SECOND = 1000;
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

const SPEC = {
  auth: { type: 'bearer', token: 'sekret' },
  index_ttl: '5m',
  artifact_ttl: '5m',
  negative_ttl: '30s',
  stale_if_error: '2d',
  // More than the files of the samples have, and any index of theirs.
  max_index_size: '1MB',
  max_artifact_size: '1MB',
  timeouts: { headers: '150ms', idle: '150ms' },
};

let opened = 0;

/** One request of a sample, with an upstream, a remote and a virtual in front of it that are its alone. */
export class Stand {
  readonly upstream: FakeUpstream;
  /** Of the remote. */
  readonly name: string;
  /** Where the upstream has what is asked for. */
  readonly at: string;
  readonly #plane: Plane;
  readonly #format: AnyFormat;
  readonly #sample: Sample;
  readonly #request: SampleRequest;

  /** `which`: the position of the request in the sample. */
  static async open(plane: Plane, format: AnyFormat, sample: Sample, which: number): Promise<Stand> {
    const request = sample.requests[which] as SampleRequest;
    const stand = new Stand(plane, format, sample, request, await FakeUpstream.start());
    stand.record(stand.upstream);
    stand.declare({});
    for (const path of request.before ?? []) expect((await stand.asked(path)).status).toBe(200);
    return stand;
  }

  private constructor(plane: Plane, format: AnyFormat, sample: Sample, request: SampleRequest, upstream: FakeUpstream) {
    opened += 1;
    this.#plane = plane;
    this.#format = format;
    this.#sample = sample;
    this.#request = request;
    this.upstream = upstream;
    this.name = `${format.id}-${opened}`;
    this.at = request.upstream ?? request.path;
  }

  declare(spec: Readonly<Record<string, unknown>>, url = this.upstream.url): this {
    const { name } = this;
    this.#plane
      .remote(name, this.#format.id, url, { ...SPEC, ...spec })
      .virtual(`${name}-all`, this.#format.id, [name]);
    return this;
  }

  /** `address`: by which an upstream knows itself, when that is not its own. */
  record(upstream: FakeUpstream, address?: string): void {
    for (const [path, reply] of Object.entries(this.#sample.upstream))
      upstream.respond(path, address === undefined ? reply : addressed(reply, address));
  }

  quirk(quirk: Quirk): this {
    this.upstream.quirk(this.at, quirk);
    return this;
  }

  asked(path = this.#request.path): Promise<Answered> {
    const { accept } = this.#request;
    return ask(`${this.#plane.url}${this.#mount()}${path}`, accept === undefined ? {} : { accept });
  }

  kept(): Promise<ObjectRow | undefined> {
    const { path, row = path.slice(1) } = this.#request;
    return this.#plane.ledger.object(this.name, row);
  }

  async served(): Promise<Answered> {
    const answer = await this.asked();
    expect({ ...answer, body: answer.body.length }).toMatchObject({ status: 200, complete: true });
    if (this.#request.kind === 'artifact') expect(answer.body.equals(this.right)).toBe(true);
    return answer;
  }

  /** The bytes that the upstream has. */
  get right(): Buffer {
    return Buffer.from(this.#sample.upstream[this.at]?.body ?? '');
  }

  /** What is here from before is what is served. */
  async servesOn(body: Buffer): Promise<void> {
    const answer = await this.asked();
    expect({ ...answer, body: answer.body.length }).toMatchObject({ status: 200, complete: true, body: body.length });
    expect(answer.body.equals(body)).toBe(true);
    // What a name meant may be stale when the bytes that it means are not.
    const states = this.#request.byHead ? ['hit', 'stale'] : this.#request.forEver ? ['hit'] : ['stale'];
    expect(states).toContain(answer.headers['x-cache']);
  }

  /** Serves it once, an hour before; since then the upstream has the same bytes as another answer. */
  async warm(): Promise<Buffer> {
    this.#plane.ahead = 0;
    const { body } = await this.served();
    await expect.poll(async () => (await this.asked()).headers['x-cache']).toBe('hit');
    for (const [path, reply] of Object.entries(this.#sample.upstream)) this.upstream.respond(path, anew(reply));
    this.#plane.ahead = HOUR;
    return body;
  }

  async recovers(ahead = this.#plane.ahead): Promise<void> {
    this.upstream.calm();
    this.#plane.ahead = ahead;
    expect((await this.served()).headers['x-cache']).not.toBe('stale');
  }

  /** Does not take what is here for new, whatever the clock says. */
  async asksAgain(): Promise<void> {
    const before = this.upstream.count(this.at);
    await this.served();
    if (!this.#request.forEver) expect(this.upstream.count(this.at)).toBeGreaterThan(before);
  }

  /** A status, and a body as this protocol's clients show it, which names the remote and says what is the matter. */
  expectFault(answer: Answered, statuses: readonly number[], says: RegExp): void {
    expect(answer.complete).toBe(true);
    expect(statuses).toContain(answer.status);
    const message = textsOf(answer).find((text) => text.includes(`"${this.name}"`)) ?? '';
    expect(message).toMatch(says);
    const { path, accept } = this.#request;
    const target = this.#format.parse(
      { method: 'GET', path: path.slice(1), query: '', accept },
      { base: `${this.#plane.url}${this.#mount()}`, options: {} },
    );
    const status = answer.status === 410 ? 404 : answer.status;
    const codes = FAULT_CODES.filter((code) => FAULT_STATUS[code] === status);
    const bodies = codes.map((code) => this.#format.fault(code, message, target));
    expect(bodies.map(({ bytes }) => String(bytes))).toContain(answer.body.toString());
    expect(answer.headers['content-type']).toBe(bodies[0]?.type);
  }

  /** A fault, or, once a file's first bytes have left, a transfer that its client knows to be broken off. */
  expectNotServed(answer: Answered): void {
    if (this.#request.kind === 'index' || answer.complete) this.expectFault(answer, [502, 413], /./);
  }

  async close(): Promise<void> {
    await this.upstream.stop();
  }

  #mount(): string {
    const { root } = this.#format.traits;
    return `${root === undefined ? '' : `/${root}`}/${this.name}-all`;
  }
}

function addressed(reply: Reply, address: string): Reply {
  if (typeof reply.body !== 'string') return reply;
  return { ...reply, body: reply.body.replaceAll('https://upstream.test', address) };
}

/** A request with conditions gets a body. */
function anew(reply: Reply): Reply {
  return { ...reply, ...(reply.etag === undefined ? {} : { etag: `${reply.etag}-again` }) };
}

/** What a body says, whether it is text or JSON around texts. */
function textsOf({ body, headers }: Answered): readonly string[] {
  const text = body.toString();
  if (!String(headers['content-type']).includes('json')) return [text.trimEnd()];
  const texts: string[] = [];
  JSON.parse(text, (_key, value: unknown) => {
    if (typeof value === 'string') texts.push(value);
    return value;
  });
  return texts;
}
