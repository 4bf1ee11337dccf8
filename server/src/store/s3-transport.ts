import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';

/** The server answered, but not now: what is asked may be possible a moment later. */
export class S3Busy extends Error {
  override readonly name = 'S3Busy';

  constructor(
    readonly status: number,
    /** Of the error document, such as `SlowDown`. */
    readonly code: string,
  ) {
    super(`it answers ${status}${code ? ` (${code})` : ''}`);
  }
}

/** Nobody answered in time. */
export class S3Silent extends Error {
  override readonly name = 'S3Silent';
}

export interface Patience {
  readonly connectMs: number;
  /** Without a byte in either direction. */
  readonly idleMs: number;
  /** As `idleMs`, for what the server does by itself: copies, and putting the parts of an upload together. */
  readonly workMs: number;
}

export const PATIENCE: Patience = { connectMs: 3000, idleMs: 15_000, workMs: 300_000 };

type Options = https.RequestOptions;
type Receive = (response: IncomingMessage) => void;

/**
 * How the client sends its requests: with limits of time on each, which it has none of, and with the error document of
 * what may be tried again, which it would throw away without reading it.
 */
export function s3Transport(secure: boolean, patience: Patience): Pick<typeof http, 'request'> {
  const request = (options: Options, receive: Receive): ClientRequest => {
    const made = (secure ? https : http).request(options);
    made.on('response', (response) => {
      if (isBusy(response.statusCode ?? 0)) void refuse(made, response);
      else receive(response);
    });
    limitConnecting(made, secure, patience.connectMs);
    limitSilence(made, isWork(options) ? patience.workMs : patience.idleMs);
    return made;
  };
  return { request: request as typeof http.request };
}

function isBusy(status: number): boolean {
  return status >= 500 || status === 429 || status === 408 || status === 499;
}

function isWork({ method, headers }: Options): boolean {
  return method === 'POST' || (headers !== undefined && 'x-amz-copy-source' in headers);
}

async function refuse(request: ClientRequest, response: IncomingMessage): Promise<void> {
  let text = '';
  try {
    for await (const chunk of response) if (text.length < 65_536) text += String(chunk);
  } catch {
    // The status says enough.
  }
  request.emit('error', new S3Busy(response.statusCode ?? 0, /<Code>([^<]*)<\/Code>/.exec(text)?.[1] ?? ''));
}

function limitConnecting(request: ClientRequest, secure: boolean, ms: number): void {
  request.once('socket', (socket) => {
    if (!socket.connecting) return;
    const late = () => request.destroy(new S3Silent(`no connection within ${ms / 1000} s`));
    const timer = setTimeout(late, ms);
    const over = () => clearTimeout(timer);
    socket.once(secure ? 'secureConnect' : 'connect', over).once('close', over);
  });
}

function limitSilence(request: ClientRequest, ms: number): void {
  let response: IncomingMessage | undefined;
  request.on('response', (answered) => {
    response = answered;
  });
  request.setTimeout(ms, () => {
    // Bytes that nobody has taken yet: it is not the server that is slow.
    if (response && response.readableLength > 0) request.setTimeout(ms);
    else (response ?? request).destroy(new S3Silent(`no answer for ${ms / 1000} s`));
  });
}
