import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SeenRequest } from './fake-upstream.ts';
import type { Gate } from './fake-upstream-gate.ts';

/** What was recorded. `etag` (without quotes) and `lastModified` are sent, and honoured when they come back. */
export interface Reply {
  readonly status?: number;
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly etag?: string;
  /** An HTTP date. */
  readonly lastModified?: string;
  /** Answer Range with 206; default: ignore it. */
  readonly ranges?: boolean;
}

/** What is really sent. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | Readable;
  readonly manner?: Manner;
}

interface Manner {
  /** Milliseconds before the headers. */
  readonly firstByteMs?: number;
  /** Milliseconds between two pieces of `pieceSize` bytes. */
  readonly pieceMs?: number;
  readonly pieceSize?: number;
  /** After the body, one more byte every `pieceMs`, for ever. */
  readonly endless?: boolean;
  /** Cut the connection after so many bytes of the body; `0`: after the headers. */
  readonly cutAfter?: number;
  /** Cut it before anything is sent. */
  readonly drop?: boolean;
}

/** A status no upstream sends. */
export const NOT_RECORDED = 599;

export function plain(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Answer {
  const bytes = Buffer.from(body);
  return {
    status,
    headers: { 'content-type': 'text/plain', 'content-length': String(bytes.length), ...headers },
    body: bytes,
  };
}

export function replyTo(seen: SeenRequest, reply: Reply): Answer {
  const bytes = Buffer.from(reply.body ?? '');
  const validators = {
    ...(reply.etag === undefined ? {} : { etag: `"${reply.etag}"` }),
    ...(reply.lastModified === undefined ? {} : { 'last-modified': reply.lastModified }),
    ...(reply.ranges ? { 'accept-ranges': 'bytes' } : {}),
  };
  const headers = { ...reply.headers, ...validators };
  if (isUnchanged(seen, reply)) return { status: 304, headers, body: Buffer.alloc(0) };
  const range = reply.ranges ? rangeOf(seen, bytes.length) : undefined;
  if (range) {
    const [start, end] = range;
    const part = bytes.subarray(start, end + 1);
    const ofPart = { 'content-range': `bytes ${start}-${end}/${bytes.length}`, 'content-length': String(part.length) };
    return { status: 206, headers: { ...headers, ...ofPart }, body: part };
  }
  return { status: reply.status ?? 200, headers: { 'content-length': String(bytes.length), ...headers }, body: bytes };
}

interface Wire {
  readonly method: string;
  readonly response: ServerResponse;
  readonly hold: Gate | undefined;
}

export async function deliver(
  { status, headers, body, manner = {} }: Answer,
  { method, response, hold }: Wire,
): Promise<void> {
  if (manner.drop) return void response.destroy();
  if (manner.firstByteMs) await sleep(manner.firstByteMs);
  // The length may be a lie that is told on purpose.
  response.strictContentLength = false;
  response.writeHead(status, headers);
  if (method === 'HEAD' || status === 304) return void response.end();
  response.flushHeaders();
  if (!(body instanceof Uint8Array)) return pump(body, response);
  const first = body.subarray(0, hold?.afterBytes ?? 0);
  await write(response, first, manner);
  await hold?.pass('body');
  const rest = body.subarray(first.length, manner.cutAfter);
  await write(response, rest, manner);
  while (manner.endless && !response.destroyed) await write(response, Buffer.from(' '), manner);
  if (manner.cutAfter !== undefined) return cut(response);
  response.end();
}

async function write(
  response: ServerResponse,
  bytes: Uint8Array,
  { pieceMs, pieceSize = bytes.length }: Manner,
): Promise<void> {
  for (let at = 0; at < bytes.length && !response.destroyed; at += pieceSize) {
    if (!response.write(bytes.subarray(at, at + pieceSize)))
      await Promise.race([once(response, 'drain'), once(response, 'close')]);
    if (pieceMs) await sleep(pieceMs);
  }
}

async function pump(body: Readable, response: ServerResponse): Promise<void> {
  response.once('close', () => body.destroy());
  body.pipe(response);
  await finished(response).catch(() => {});
}

/** What was written has left when the connection ends. */
async function cut(response: ServerResponse): Promise<void> {
  await new Promise((flushed) => response.write('', flushed));
  response.socket?.destroySoon();
}

function isUnchanged({ headers }: SeenRequest, { status = 200, etag, lastModified }: Reply): boolean {
  const asked = headers['if-none-match'];
  if (status !== 200) return false;
  if (asked !== undefined) return etag !== undefined && String(asked).replaceAll('W/', '') === `"${etag}"`;
  return lastModified !== undefined && headers['if-modified-since'] === lastModified;
}

/** First and last byte of a single satisfiable range. */
function rangeOf({ headers }: SeenRequest, size: number): [number, number] | undefined {
  const found = /^bytes=(\d+)-(\d*)$/.exec(String(headers['range'] ?? ''));
  if (!found) return undefined;
  const start = Number(found[1]);
  const end = found[2] ? Math.min(Number(found[2]), size - 1) : size - 1;
  return start <= end ? [start, end] : undefined;
}
