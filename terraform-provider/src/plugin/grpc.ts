import { createSecureServer, createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import { type Decoded, type Draft, decode, encode, type Fields, type Message } from './protobuf.ts';

/** One method of a gRPC service. `held` is a stream that is kept open and never says anything. */
export type Method =
  | { readonly kind: 'unary'; readonly call: (body: Uint8Array) => Promise<Uint8Array> }
  | { readonly kind: 'held' };

/** By path: `/tfplugin6.Provider/ReadResource`. */
export type Methods = Readonly<Record<string, Method>>;

export interface Identity {
  readonly keyPem: string;
  readonly certPem: string;
  /** The only client that is let in. */
  readonly clientCertPem: string;
}

export const held: Method = { kind: 'held' };

/** What `call` throws becomes the answer `failed` makes of it; without that, an error of gRPC. */
export function unary<Q extends Fields, A extends Fields>(
  types: { readonly request: Message<Q>; readonly response: Message<A> },
  call: (request: Decoded<Q>) => Draft<A> | Promise<Draft<A>>,
  failed?: (error: unknown) => Draft<A>,
): Method {
  return {
    kind: 'unary',
    call: async (body) => encode(types.response, await answerOf(() => call(decode(types.request, body)), failed)),
  };
}

/** gRPC over HTTP/2 (PROTOCOL-HTTP2); with no identity in clear text, for a socket only this user can reach. */
export function createGrpcServer(methods: Methods, identity: Identity | undefined): Http2Server {
  const limits = { maxSessionMemory: 512, settings: { initialWindowSize: 1 << 20 } };
  const server = identity
    ? createSecureServer({
        ...limits,
        key: identity.keyPem,
        cert: identity.certPem,
        ca: identity.clientCertPem,
        requestCert: true,
        rejectUnauthorized: true,
        minVersion: 'TLSv1.2',
        ALPNProtocols: ['h2'],
      })
    : createServer(limits);
  server.on('stream', (stream, headers) => {
    stream.on('error', () => stream.destroy());
    void answer(stream, methods[String(headers[':path'])]);
  });
  return server;
}

const OK = 0;
const UNIMPLEMENTED = 12;
const INTERNAL = 13;

async function answer(stream: ServerHttp2Stream, method: Method | undefined): Promise<void> {
  if (!method) return end(stream, UNIMPLEMENTED, 'this provider does not have that method');
  if (method.kind === 'held') {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    stream.resume();
    return;
  }
  try {
    const message = await method.call(unframe(await bodyOf(stream)));
    respond(stream, OK, '', frame(message));
  } catch (error) {
    end(stream, INTERNAL, error instanceof Error ? error.message : String(error));
  }
}

async function answerOf<T>(call: () => T | Promise<T>, failed: ((error: unknown) => T) | undefined): Promise<T> {
  if (!failed) return call();
  try {
    return await call();
  } catch (error) {
    return failed(error);
  }
}

async function bodyOf(stream: ServerHttp2Stream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function unframe(body: Buffer): Buffer {
  if (body.length < 5) throw new RangeError('the request has no message');
  if (body[0] !== 0) throw new RangeError('compressed messages are not spoken here');
  return body.subarray(5, 5 + body.readUInt32BE(1));
}

function frame(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function end(stream: ServerHttp2Stream, status: number, message: string): void {
  respond(stream, status, message, Buffer.alloc(0));
}

function respond(stream: ServerHttp2Stream, status: number, message: string, body: Buffer): void {
  if (stream.destroyed) return;
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => {
    stream.sendTrailers({
      'grpc-status': String(status),
      ...(message && { 'grpc-message': encodeURIComponent(message) }),
    });
  });
  stream.end(body);
}
