import { UpstreamError, type UpstreamRequest } from './upstream.ts';

/** One request of a chain. */
export interface Hop {
  readonly url: URL;
  readonly method: NonNullable<UpstreamRequest['method']>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

export const MOST_REDIRECTS = 5;

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const CREDENTIALS = ['authorization', 'cookie', 'proxy-authorization'];
const OF_BODY = ['content-type', 'content-length', 'content-encoding'];

export function isRedirect(status: number): boolean {
  return REDIRECTS.has(status);
}

/** Where an answer sends us. Throws `bad_redirect`. */
export function redirected(hop: Hop, status: number, location: string | undefined): Hop {
  const url = target(hop.url, location);
  const keepsBody = status === 307 || status === 308 || hop.method !== 'POST';
  const dropped = [...(url.origin === hop.url.origin ? [] : CREDENTIALS), ...(keepsBody ? [] : OF_BODY)];
  const headers = Object.fromEntries(Object.entries(hop.headers).filter(([name]) => !dropped.includes(name)));
  if (!keepsBody) return { url, method: 'GET', headers };
  return { url, method: hop.method, headers, ...(hop.body === undefined ? {} : { body: hop.body }) };
}

function target(from: URL, location: string | undefined): URL {
  if (!location) throw new UpstreamError('bad_redirect', `${from.host} redirects without saying where.`);
  if (!URL.canParse(location, from.href))
    throw new UpstreamError('bad_redirect', `${from.host} redirects to something that is no address.`);
  const url = new URL(location, from);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new UpstreamError(
      'bad_redirect',
      `${from.host} redirects to an address of the scheme ${url.protocol.slice(0, -1)}, which is not followed.`,
    );
  }
  if (from.protocol === 'https:' && url.protocol === 'http:') {
    throw new UpstreamError(
      'bad_redirect',
      `${from.host} redirects from https to http at ${url.host}, which is not followed.`,
    );
  }
  url.username = '';
  url.password = '';
  url.hash = '';
  return url;
}
