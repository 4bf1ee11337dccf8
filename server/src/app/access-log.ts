import type { IncomingMessage, ServerResponse } from 'node:http';
import { quoted } from '../engine/quoted.ts';
import type { Asker } from '../engine/source.ts';
import type { Trail } from '../engine/trail.ts';
import type { UpstreamAttempt } from '../upstream/upstream.ts';
import { shownPath, shownUrl } from './shown-url.ts';

/** Milliseconds for which lines are gathered, and characters from which on they are written at once. */
const GATHER = 100;
const ENOUGH = 64 * 1024;

/** Asked every few seconds by load balancers and by Prometheus. */
const WATCHED = ['/health', '/health/live', '/ready', '/metrics'];

/** Takes whole lines. */
export type Sink = (lines: string) => void;

/** An answer out of memory: who got it, and what of it is the same each time. */
export interface Hit {
  readonly asker: Asker;
  readonly method: string;
  readonly status: number;
  readonly result: string;
  readonly bytes: number;
  readonly milliseconds: number;
  /** Members of the line, as `hitMembers` makes them. */
  readonly members: string;
}

export function hitMembers(url: string, of: Readonly<Record<string, string>>): string {
  return JSON.stringify({ url: shownUrl(url), ...of }).slice(1, -1);
}

/** One line of JSON for each request that has ended, and for each that was sent to an upstream; docs/operations.md has their fields. */
export class AccessLog {
  readonly #sink: Sink;
  readonly #now: () => number;
  readonly #isWatchHeard: boolean;
  #lines: string[] = [];
  #size = 0;
  #timer: NodeJS.Timeout | undefined;
  #at = 0;
  #time = '';
  #last: Readonly<Record<'principal' | 'consumer' | 'client' | 'address', string | undefined>> & {
    readonly members: string;
  } = { principal: undefined, consumer: undefined, client: undefined, address: undefined, members: '' };

  /** `isWatchHeard`: whether those who look whether it is well have a line when it is. */
  constructor(sink: Sink, now: () => number, isWatchHeard = false) {
    this.#sink = sink;
    this.#now = now;
    this.#isWatchHeard = isWatchHeard;
  }

  hit({ asker, method, status, result, bytes, milliseconds, members }: Hit): void {
    const took = inMicroseconds(milliseconds);
    // An id of ours or of a trusted proxy needs no escapes.
    this.#add(
      `${this.#head('request')},"request_id":"${asker.requestId}","method":"${method}",${members},"status":${status},"bytes":${bytes},"duration_ms":${took},"result":"${result}",${this.#who(asker)}}\n`,
    );
  }

  request(request: IncomingMessage, response: ServerResponse, trail: Trail, began: number): void {
    if (!this.#isWatchHeard && WATCHED.includes(trail.route ?? '') && response.statusCode < 300) return;
    const { firstByteAt, upstreamMs, repository, format, kind, result, rule, decision, decisionId } = trail;
    const fields = {
      request_id: trail.requestId,
      method: request.method,
      url: shownUrl(request.url ?? ''),
      repository,
      format,
      kind,
      route: trail.route,
      status: response.headersSent ? response.statusCode : undefined,
      bytes: trail.bytes ?? 0,
      duration_ms: rounded(performance.now() - began),
      ttfb_ms: firstByteAt === undefined ? undefined : rounded(firstByteAt - began),
      result,
      decision,
      rule,
      decision_id: decisionId,
      principal: trail.principal,
      consumer: trail.consumer,
      client: trail.client,
      address: trail.address,
      member: trail.member,
      upstream: trail.upstream,
      upstream_ms: upstreamMs === undefined ? undefined : rounded(upstreamMs),
      joined: trail.joined,
      changes: trail.changes,
      aborted: response.writableFinished ? undefined : true,
    };
    this.#add(`${this.#head('request')},${JSON.stringify(fields).slice(1)}\n`);
  }

  upstream(attempt: UpstreamAttempt, requestId: string | undefined): void {
    const { milliseconds, remote, path, ...rest } = attempt;
    const fields = {
      request_id: requestId,
      repository: remote,
      ...rest,
      path: shownPath(path),
      duration_ms: rounded(milliseconds),
    };
    this.#add(`${this.#head('upstream request')},${JSON.stringify(fields).slice(1)}\n`);
  }

  /** What was gathered goes out now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines.length === 0) return;
    const lines = this.#lines.join('');
    this.#lines = [];
    this.#size = 0;
    this.#sink(lines);
  }

  #add(line: string): void {
    this.#lines.push(line);
    this.#size += line.length;
    if (this.#size >= ENOUGH) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), GATHER).unref();
  }

  #head(message: string): string {
    const now = this.#now();
    if (now !== this.#at) {
      this.#at = now;
      this.#time = `{"level":"info","time":"${new Date(now).toISOString()}","msg":"`;
    }
    return `${this.#time}${message}"`;
  }

  /** A client that installs asks often. */
  #who({ principal, consumer, client, address }: Asker): string {
    const last = this.#last;
    if (
      last.principal === principal &&
      last.consumer === consumer &&
      last.client === client &&
      last.address === address
    )
      return last.members;
    const members = `"principal":${quoted(principal)}${member('consumer', consumer)}${member('client', client)}${member('address', address)}`;
    this.#last = { principal, consumer, client, address, members };
    return members;
  }
}

/** Milliseconds to three places, for what takes some: whole numbers are written sooner than others. */
function inMicroseconds(milliseconds: number): string {
  const whole = Math.floor(milliseconds);
  const rest = Math.floor((milliseconds - whole) * 1000);
  return `${whole}.${rest < 10 ? '00' : rest < 100 ? '0' : ''}${rest}`;
}

function member(name: string, text: string | undefined): string {
  return text === undefined ? '' : `,"${name}":${quoted(text)}`;
}

/** Milliseconds, to the microsecond. */
function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}
