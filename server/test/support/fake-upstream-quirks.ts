import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { SeenRequest } from './fake-upstream.ts';
import { type Answer, plain, type Reply } from './fake-upstream-answer.ts';

/** What upstreams do besides what they should. */
export type Quirk =
  /** No ETag and no Last-Modified, and conditions ignored. */
  | { readonly kind: 'no_validators' }
  /** Content-Length is wrong by so many bytes; the connection closes after the body. */
  | { readonly kind: 'wrong_length'; readonly by: number }
  /** The connection ends after so many bytes of the body; default: half of them. */
  | { readonly kind: 'truncated'; readonly after?: number }
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
  | { readonly kind: 'drop' };

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
      return { ...answer, manner: { cutAfter: quirk.after ?? Math.floor(sizeOf(answer) / 2) } };
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
  }
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
