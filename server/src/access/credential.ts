import type { IncomingHttpHeaders } from 'node:http';

/**
 * The token of a request: as `Bearer`, as the raw `Authorization` value (cargo, gem), as the password of Basic with any user
 * name, or as `X-Api-Key` (NuGet). Undefined when the request brings none; '' when it brings something that is no token.
 */
export function credentialOf(headers: IncomingHttpHeaders): string | undefined {
  const { authorization } = headers;
  if (authorization === undefined) return single(headers['x-api-key']);
  const [, scheme = '', rest = ''] = /^([A-Za-z]+) +(.*)$/.exec(authorization) ?? [];
  if (scheme === '') return authorization;
  switch (scheme.toLowerCase()) {
    case 'bearer':
    case 'token':
      return rest.trim();
    case 'basic':
      return passwordOf(rest.trim());
    default:
      return '';
  }
}

/** The token of `Authorization: Bearer …` alone. */
export function bearerOf({ authorization }: IncomingHttpHeaders): string | undefined {
  return /^bearer +(.*)$/i.exec(authorization ?? '')?.[1]?.trim();
}

/** The user name of Basic, where there is one. */
export function userOf({ authorization }: IncomingHttpHeaders): string | undefined {
  const encoded = /^basic +(.*)$/i.exec(authorization ?? '')?.[1];
  return encoded === undefined ? undefined : pairOf(encoded)[0] || undefined;
}

function passwordOf(encoded: string): string {
  return pairOf(encoded)[1];
}

/** Without a colon it is all password. */
function pairOf(encoded: string): [user: string, password: string] {
  const pair = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return [pair.slice(0, Math.max(colon, 0)), pair.slice(colon + 1)];
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? '' : header;
}
