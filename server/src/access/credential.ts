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

function passwordOf(encoded: string): string {
  const pair = Buffer.from(encoded, 'base64').toString('utf8');
  return pair.slice(pair.indexOf(':') + 1);
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? '' : header;
}
