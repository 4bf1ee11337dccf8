import type { Dispatcher } from 'undici';
import { brokenBody, type Peer } from './failure.ts';
import { codingsOf, unpacked } from './unpack.ts';
import { UpstreamError, type UpstreamRequest, type UpstreamResponse } from './upstream.ts';

type RawBody = Dispatcher.ResponseData['body'];

/** A rest up to here is read to keep the connection; of a longer one the connection is closed. */
const WORTH_READING = 64 * 1024;
const WORTH_WAITING = 500;

export class HttpResponse implements UpstreamResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly #raw: RawBody;
  readonly #codings: readonly string[];
  readonly #length: number | undefined;
  #received = 0;

  constructor(
    answer: Dispatcher.ResponseData,
    readonly url: string,
    readonly timings: UpstreamResponse['timings'],
    readonly peer: Peer,
    { method, headers: asked }: Pick<UpstreamRequest, 'method' | 'headers'>,
  ) {
    const { 'content-length': length, 'content-encoding': encoding, ...others } = joined(answer.headers);
    this.status = answer.statusCode;
    this.#raw = answer.body;
    const codings = codingsOf(encoding);
    this.#codings = asked?.['accept-encoding'] === 'identity' && isStoredSo(url, codings) ? [] : codings;
    const isEmpty = method === 'HEAD' || this.status === 204 || this.status === 304;
    this.#length = isEmpty ? 0 : length !== undefined && /^\d+$/.test(length) ? Number(length) : undefined;
    const isPacked = this.#codings.length > 0;
    this.headers = isPacked || length === undefined ? others : { ...others, 'content-length': length };
    // Without a reader an error of the connection would be nobody's; a reader still gets it.
    this.#raw.on('error', () => {});
    if (this.#length === 0) this.#raw.resume();
  }

  /** `told` gets the body bytes that were read, once there will be no more. */
  ended(told: (bytes: number) => void): void {
    if (this.#raw.closed) told(this.#received);
    else this.#raw.once('close', () => told(this.#received));
  }

  async *body(limit = Number.POSITIVE_INFINITY): AsyncGenerator<Uint8Array> {
    if (this.#length === 0) return;
    try {
      if (this.#codings.length === 0 && (this.#length ?? 0) > limit) throw this.#tooLarge(limit, this.#length);
      let size = 0;
      for await (const chunk of unpacked(this.#raw, this.#codings, this.peer.host)) {
        size += (chunk as Uint8Array).length;
        this.#received = size;
        if (size > limit) throw this.#tooLarge(limit);
        yield chunk;
      }
    } catch (error) {
      throw brokenBody(error, this.peer);
    } finally {
      this.#raw.destroy();
    }
  }

  async discard(): Promise<void> {
    if (this.#raw.destroyed) return;
    if (this.#length === undefined || this.#length <= WORTH_READING) {
      await this.#raw.dump({ limit: WORTH_READING, signal: AbortSignal.timeout(WORTH_WAITING) }).catch(() => {});
    }
    this.#raw.destroy();
  }

  #tooLarge(limit: number, announced?: number): UpstreamError {
    const what = announced === undefined ? `more than ${limit} bytes` : `${announced} bytes`;
    return new UpstreamError('too_large', `${this.peer.host} sends ${what}, the limit is ${limit}.`);
  }
}

const ENDINGS: Readonly<Record<string, RegExp>> = {
  gzip: /\.(?:t?gz|svgz|taz)$/i,
  'x-gzip': /\.(?:t?gz|svgz|taz)$/i,
  br: /\.br$/i,
  zstd: /\.(?:zst|tzst)$/i,
};

/** Some servers label a file that is stored packed as encoded (Apache's mod_mime), though plain bytes were asked for. */
function isStoredSo(url: string, codings: readonly string[]): boolean {
  const [coding = ''] = codings;
  return codings.length === 1 && ENDINGS[coding]?.test(new URL(url).pathname) === true;
}

function joined(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const lines = Object.entries(headers).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    lines.map(([name, value]) => [name.toLowerCase(), Array.isArray(value) ? value.join(', ') : String(value)]),
  );
}
