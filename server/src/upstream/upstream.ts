/** The one door to upstream registries. */
export interface Upstream {
  /**
   * Sends one request, follows redirects itself (at most 5; credentials never to another origin; every hop's address
   * checked at connect time) and resolves as soon as the final headers are there.
   * Any HTTP status resolves; throws `UpstreamError` when there is no answer.
   */
  request(request: UpstreamRequest): Promise<UpstreamResponse>;
  /** Whether the route's own origin is left alone for a while, because it did not answer. */
  resting?(route: Route): boolean;
  close(): Promise<void>;
}

export interface UpstreamRequest {
  readonly url: string;
  readonly method?: 'GET' | 'HEAD' | 'POST';
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly signal?: AbortSignal;
  readonly route: Route;
  /** What a token is asked for, where the route has `tokens` and the upstream does not say: `repository:library/alpine:pull`. */
  readonly scope?: string;
}

/** How a remote is reached: from its spec, never from a request. */
export interface Route {
  /** Name of the remote, for whoever looks on. */
  readonly remote?: string;
  /** Origin that credentials and headers below belong to. */
  readonly origin: string;
  /** Sent to `origin` only: `authorization` and the remote's own headers, lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * A 401 of `origin` that asks for a token is answered with one, had from where it says with this user name and password,
   * if there are any: `headers` then hold no `authorization`.
   */
  readonly tokens?: { readonly username?: string; readonly password?: string };
  readonly allowPrivateNetwork: boolean;
  readonly caPem?: string;
  readonly clientCert?: { readonly certPem: string; readonly keyPem: string };
  readonly proxyUrl?: string;
  /** Requests to one host at a time, their bodies included; default: the door's own limit. */
  readonly concurrency?: number;
  /** Milliseconds. */
  readonly timeouts: { readonly connect: number; readonly headers: number; readonly idle: number };
}

export interface UpstreamResponse {
  readonly status: number;
  /**
   * Lower-case names; repeated headers joined by `, `. Content-Encoding is not among them, nor is Content-Length when it
   * was that of the packed body.
   */
  readonly headers: Readonly<Record<string, string>>;
  /** After redirects. */
  readonly url: string;
  /**
   * The body with Content-Encoding undone; breaks with `UpstreamError` when the connection is lost before
   * Content-Length bytes, on `idle` timeout, or when unpacking passes `limit`.
   */
  body(limit?: number): AsyncIterable<Uint8Array>;
  /** Gives the connection back without reading the body. */
  discard(): Promise<void>;
  /** Milliseconds. */
  readonly timings: { readonly connect?: number; readonly firstByte: number };
}

/** One request as it was sent: a hop of a redirect, a repetition and a request for a token are each one of their own. */
export interface UpstreamAttempt {
  readonly remote?: string;
  readonly method: string;
  readonly host: string;
  /** Without its query, which may hold a signature. */
  readonly path: string;
  /** 1, and more where it was repeated. */
  readonly attempt: number;
  /** Exactly one of them is there. */
  readonly status?: number;
  readonly failure?: UpstreamFailure | 'internal';
  /** Until the headers were there, or it failed. */
  readonly milliseconds: number;
  /** Of the body, unpacked. */
  readonly bytes: number;
}

export type UpstreamFailure =
  | 'unresolved'
  | 'refused_connection'
  | 'timeout'
  | 'private_address'
  | 'redirect_loop'
  | 'bad_redirect'
  | 'tls'
  | 'truncated'
  | 'too_large'
  | 'aborted'
  | 'protocol';

/** There was no usable answer. `message` says which host, what happened and what to check; never a credential. */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';

  constructor(
    readonly failure: UpstreamFailure,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
