import type { IncomingMessage } from 'node:http';
import proxyAddr from 'proxy-addr';

/** Where a request comes from, and by which address it was made. */
export interface Caller {
  readonly address?: string;
  readonly host?: string;
  /** Only as a trusted proxy says: ours is known otherwise. */
  readonly protocol?: 'http' | 'https';
  /** Only as a trusted proxy says. */
  readonly requestId?: string;
}

/** An id that a proxy gave: nothing in it means anything in a log, in JSON or in a header. */
const REQUEST_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{7,127}$/;

/** `trusted`: addresses and networks of the proxies whose forwarded headers are believed; nobody else's are. */
export function callers(trusted: readonly string[]): (request: IncomingMessage) => Caller {
  if (trusted.length === 0) return direct;
  const trust = proxyAddr.compile([...trusted]);
  return (request) => {
    const { remoteAddress } = request.socket;
    if (remoteAddress === undefined || !trust(remoteAddress, 0)) return direct(request);
    const host = first(request.headers['x-forwarded-host']) ?? request.headers.host;
    const protocol = first(request.headers['x-forwarded-proto']);
    const requestId = request.headers['x-request-id'];
    return {
      address: proxyAddr(request, trust),
      ...(host === undefined ? {} : { host }),
      ...(protocol === 'http' || protocol === 'https' ? { protocol } : {}),
      ...(typeof requestId === 'string' && REQUEST_ID.test(requestId) ? { requestId } : {}),
    };
  };
}

function direct({ socket, headers }: IncomingMessage): Caller {
  return {
    ...(socket.remoteAddress === undefined ? {} : { address: socket.remoteAddress }),
    ...(headers.host === undefined ? {} : { host: headers.host }),
  };
}

/** The proxy nearest to the client writes first. */
function first(header: string | string[] | undefined): string | undefined {
  const [value] = (Array.isArray(header) ? header[0] : header)?.split(',') ?? [];
  return value?.trim() || undefined;
}
