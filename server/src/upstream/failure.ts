import type { Route, UpstreamFailure } from './upstream.ts';
import { UpstreamError } from './upstream.ts';

/** Whom we talk to, as messages name it. */
export interface Peer {
  /** With its port, when that is not the scheme's own. */
  readonly host: string;
  /** Host of the proxy in between. */
  readonly proxy?: string;
  readonly timeouts: Route['timeouts'];
}

/** Why no headers came. */
export function noAnswer(error: unknown, peer: Peer): UpstreamError {
  if (error instanceof UpstreamError) return error;
  const { host, timeouts } = peer;
  const code = codeOf(error);
  const failure = (kind: UpstreamFailure, message: string): UpstreamError =>
    new UpstreamError(kind, message, { cause: error });
  if (isAbort(error, code)) return failure('aborted', `The request to ${host} was given up.`);
  if (code === 'UND_ERR_HEADERS_TIMEOUT')
    return failure('timeout', `${host} did not answer within ${seconds(timeouts.headers)}.`);
  if (peer.proxy !== undefined && isOfProxy(error, code)) return throughProxy(error, peer.proxy, host);
  const next = peer.proxy ?? host;
  const setting = peer.proxy === undefined ? 'url' : 'proxy_url';
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') {
    return failure(
      'timeout',
      `No connection to ${next} within ${seconds(timeouts.connect)}: is it up, and is there a firewall in between?`,
    );
  }
  if (/^(ENOTFOUND|ENODATA|EAI_|ESERVFAIL|EREFUSED)/.test(code)) {
    return failure(
      'unresolved',
      `The name ${next} cannot be resolved (${code}): check the remote's ${setting}, and DNS.`,
    );
  }
  if (isTls(code)) return failure('tls', tlsMessage(host, code));
  if (/^(HPE_|UND_ERR_HEADERS_OVERFLOW)/.test(code)) {
    return failure(
      'protocol',
      `${host} answered something that is not HTTP (${code}): check the port and scheme of the remote's url.`,
    );
  }
  if (/^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|EHOSTDOWN|EACCES)$/.test(code)) {
    return failure(
      'refused_connection',
      `${next} cannot be connected to (${code}): is it up, and is the port in the remote's ${setting} right?`,
    );
  }
  if (/^(ECONNRESET|EPIPE|ECONNABORTED|UND_ERR_SOCKET)$/.test(code)) {
    return failure('refused_connection', `${next} closed the connection without an answer.`);
  }
  return failure('protocol', `The request to ${host} failed (${code || 'no reason given'}).`);
}

/** Why a body ended before its end. */
export function brokenBody(error: unknown, peer: Peer): UpstreamError {
  if (error instanceof UpstreamError) return error;
  const code = codeOf(error);
  const failure = (kind: UpstreamFailure, message: string): UpstreamError =>
    new UpstreamError(kind, message, { cause: error });
  if (isAbort(error, code)) return failure('aborted', `The transfer from ${peer.host} was given up.`);
  if (code === 'UND_ERR_BODY_TIMEOUT') {
    return failure('timeout', `${peer.host} sent nothing for ${seconds(peer.timeouts.idle)} in the middle of a body.`);
  }
  if (code === 'Z_BUF_ERROR') return failure('truncated', `${peer.host} sent a compressed body without its end.`);
  if (/^(Z_|ERR__?ERROR|ERR_BROTLI|ERR_ZSTD|ZSTD_)/.test(code) || code.includes('BROTLI')) {
    return failure('protocol', `${peer.host} sent a body that is not what its Content-Encoding says (${code}).`);
  }
  if (code.startsWith('HPE_')) return failure('protocol', `${peer.host} sent a body that is not HTTP (${code}).`);
  return failure('truncated', `${peer.host} broke off in the middle of a body (${code || 'no reason given'}).`);
}

function throughProxy(error: unknown, proxy: string, host: string): UpstreamError {
  const status = /\((\d{3})\)/.exec(error instanceof Error ? error.message : '')?.[1];
  const why =
    status === '407'
      ? "it wants a user name and password: check the remote's proxy_url"
      : "check the remote's proxy_url, and what the proxy allows";
  const answered = status === undefined ? 'closed the connection' : `answered ${status}`;
  return new UpstreamError('refused_connection', `The proxy ${proxy} ${answered} when asked for ${host}: ${why}.`, {
    cause: error,
  });
}

function tlsMessage(host: string, code: string): string {
  if (code === 'CERT_HAS_EXPIRED') return `The certificate of ${host} has expired.`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `The certificate of ${host} is for another name: check the remote's url.`;
  if (/^(DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/.test(code)) {
    return `The certificate of ${host} is not from an authority that is trusted here (${code}): set the remote's ca_pem.`;
  }
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER') return `${host} does not speak TLS: should the remote's url be http?`;
  if (/CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|BAD_CERTIFICATE/.test(code)) {
    return `${host} refused the TLS handshake (${code}): does it want a client_cert?`;
  }
  return `There is no TLS connection to ${host} (${code}).`;
}

function isTls(code: string): boolean {
  return /^(ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH|EPROTO)/.test(
    code,
  );
}

function isOfProxy(error: unknown, code: string): boolean {
  if (code === 'UND_ERR_PRX_CONN' || code === 'UND_ERR_PRX_TLS') return true;
  return error instanceof Error && /^Proxy (response|Authentication)/.test(error.message);
}

function isAbort(error: unknown, code: string): boolean {
  if (error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError'))
    return !error.message.startsWith('Proxy ');
  return code === 'ABORT_ERR';
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : '';
}

function seconds(milliseconds: number): string {
  return milliseconds < 1000 ? `${milliseconds} ms` : `${Math.round(milliseconds / 100) / 10} s`;
}
