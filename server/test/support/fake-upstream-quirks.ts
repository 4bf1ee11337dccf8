import { Readable } from 'node:stream';
import { createGzip, gzipSync } from 'node:zlib';
import type { SeenRequest } from './fake-upstream.ts';
import { type Answer, plain, type Reply } from './fake-upstream-answer.ts';

/** What upstreams do besides what they should. */
export type Quirk =
  /** No ETag and no Last-Modified, and conditions ignored. */
  | { readonly kind: 'no_validators' }
  /** Content-Length is wrong by so many bytes; the connection closes after the body. */
  | { readonly kind: 'wrong_length'; readonly by: number }
  /** The connection ends after so many bytes of the body; default: half of them. `chunked`: without a Content-Length. */
  | { readonly kind: 'truncated'; readonly after?: number; readonly chunked?: true }
  /** Milliseconds. `endless`: a body that never ends, a byte every `pieceMs`. */
  | {
      readonly kind: 'slow';
      readonly firstByteMs?: number;
      readonly pieceMs?: number;
      readonly pieceSize?: number;
      readonly endless?: boolean;
    }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: number | string }
  /** `loop`: to itself, by way of a second address. Else an address. */
  | { readonly kind: 'redirect'; readonly to: string; readonly status?: number }
  /** A web page with status 200 in place of what was asked for. */
  | { readonly kind: 'login_page' }
  /** A gzip body that unpacks to so many bytes. */
  | { readonly kind: 'gzip_bomb'; readonly size: number }
  /** The connection ends before anything is said. */
  | { readonly kind: 'drop' }
  /** A body without a length that goes on as fast as it is read. */
  | { readonly kind: 'endless' }
  /** 200 with the type of what was asked for and no bytes. */
  | { readonly kind: 'empty' }
  /** Another ETag with every answer, strong and weak by turns, and conditions ignored. */
  | { readonly kind: 'changing_etag' }
  /** Headers in place of the recorded ones; undefined: without it. */
  | { readonly kind: 'says'; readonly headers: Readonly<Record<string, string | undefined>> }
  /** Content-Encoding gzip, asked for or not. `half`: the message is whole and the gzip in it is not; `not`: zstd, in which it is not. */
  | { readonly kind: 'packed'; readonly but?: 'half' | 'not' }
  /** 206 and the first half, whatever was asked for. */
  | { readonly kind: 'partial' };

interface Occasion {
  readonly seen: SeenRequest;
  readonly url: string;
  readonly recorded: (change?: (reply: Reply) => Reply) => Promise<Answer>;
}

const LOGIN_PAGE =
  '<!doctype html>\n<html><head><title>Sign in</title></head><body><form method="post"></form></body></html>\n';

export async function quirkAnswer(quirk: Quirk, { seen, url, recorded }: Occasion): Promise<Answer> {
  switch (quirk.kind) {
    case 'no_validators':
      return recorded(withoutValidators);
    case 'wrong_length':
      return wrongLength(await recorded(), quirk.by);
    case 'truncated': {
      const answer = await recorded();
      const manner = { cutAfter: quirk.after ?? Math.floor(sizeOf(answer) / 2) };
      return { ...answer, ...(quirk.chunked ? { headers: without(answer.headers, 'content-length') } : {}), manner };
    }
    case 'slow':
      return slow(await recorded(), quirk);
    case 'status':
      return plain(
        quirk.status,
        `status ${quirk.status}\n`,
        quirk.retryAfter === undefined ? {} : { 'retry-after': String(quirk.retryAfter) },
      );
    case 'redirect':
      return plain(quirk.status ?? 302, '', { location: quirk.to === 'loop' ? circle(seen, url) : quirk.to });
    case 'login_page':
      return plain(200, LOGIN_PAGE, { 'content-type': 'text/html; charset=utf-8' });
    case 'gzip_bomb':
      return bomb(quirk.size);
    case 'drop':
      return { status: 200, headers: {}, body: Buffer.alloc(0), manner: { drop: true } };
    case 'endless': {
      const { headers, ...answer } = await recorded();
      return { ...answer, headers: without(headers, 'content-length'), body: Readable.from(forEver()) };
    }
    case 'empty': {
      const { headers, ...answer } = await recorded();
      return { ...answer, headers: { ...headers, 'content-length': '0' }, body: Buffer.alloc(0) };
    }
    case 'changing_etag': {
      const { headers, ...answer } = await recorded(withoutValidators);
      return { ...answer, headers: { ...headers, etag: nextTag() } };
    }
    case 'says': {
      const { headers, ...answer } = await recorded();
      const said = Object.entries({ ...headers, ...quirk.headers }).filter(([, value]) => value !== undefined);
      return { ...answer, headers: Object.fromEntries(said) as Record<string, string> };
    }
    case 'packed':
      return packed(await recorded(), quirk.but);
    case 'partial':
      return firstHalf(await recorded());
  }
}

const PIECE = 64 * 1024;

function* forEver(): Generator<Buffer> {
  for (;;) yield Buffer.alloc(PIECE, ' ');
}

let answers = 0;

function nextTag(): string {
  answers += 1;
  return answers % 2 === 0 ? `W/"${answers}"` : `"${answers}"`;
}

function packed({ headers, body, ...answer }: Answer, but: 'half' | 'not' | undefined): Answer {
  if (!(body instanceof Uint8Array)) throw new TypeError('a stream is not packed');
  const whole = but === 'not' ? body : gzipSync(body);
  const sent = but === 'half' ? whole.subarray(0, Math.floor(whole.length / 2)) : whole;
  const coding = but === 'not' ? 'zstd' : 'gzip';
  const described = { ...headers, 'content-encoding': coding, 'content-length': String(sent.length) };
  return { ...answer, headers: described, body: sent };
}

function firstHalf({ headers, body }: Answer): Answer {
  if (!(body instanceof Uint8Array)) throw new TypeError('a stream has no half');
  const half = body.subarray(0, Math.floor(body.length / 2));
  const range = { 'content-range': `bytes 0-${half.length - 1}/${body.length}`, 'content-length': String(half.length) };
  return { status: 206, headers: { ...headers, ...range }, body: half };
}

function without(headers: Answer['headers'], name: string): Answer['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([each]) => each !== name));
}

function withoutValidators({ etag: _etag, lastModified: _lastModified, ...reply }: Reply): Reply {
  return reply;
}

function wrongLength(answer: Answer, by: number): Answer {
  const size = sizeOf(answer);
  const headers = { ...answer.headers, 'content-length': String(size + by), connection: 'close' };
  return { ...answer, headers, manner: { cutAfter: size } };
}

function slow(
  answer: Answer,
  { firstByteMs = 0, pieceMs = 0, pieceSize, endless = false }: Extract<Quirk, { kind: 'slow' }>,
): Answer {
  const { 'content-length': length, ...headers } = answer.headers;
  const manner = { firstByteMs, pieceMs, endless, ...(pieceSize === undefined ? {} : { pieceSize }) };
  return {
    ...answer,
    headers: endless || length === undefined ? headers : { ...headers, 'content-length': length },
    manner,
  };
}

/** What the second address of a redirect loop ends in. */
export const SECOND_OF_CIRCLE = /[?&]again=1$/;

/** Two addresses that send you to each other, so that comparing an address with the one before is not enough. */
function circle({ path }: SeenRequest, url: string): string {
  const first = path.replace(SECOND_OF_CIRCLE, '');
  if (first !== path) return `${url}${first}`;
  return `${url}${path}${path.includes('?') ? '&' : '?'}again=1`;
}

function bomb(size: number): Answer {
  const zeros = Buffer.alloc(64 * 1024);
  const pieces = function* (): Generator<Buffer> {
    for (let left = size; left > 0; left -= zeros.length) yield zeros.subarray(0, Math.min(left, zeros.length));
  };
  const body = Readable.from(pieces()).pipe(createGzip({ level: 1 }));
  return { status: 200, headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' }, body };
}

function sizeOf({ body }: Answer): number {
  if (!(body instanceof Uint8Array)) throw new TypeError('a stream has no length to lie about');
  return body.length;
}
