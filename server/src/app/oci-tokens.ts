import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Access, Principal } from '../access/access.ts';
import { credentialOf, userOf } from '../access/credential.ts';
import { Fault } from '../engine/fault.ts';
import { type Body, Malformed, type Target } from '../engine/format.ts';
import { canonicalPath } from '../engine/path.ts';
import { invite } from './expectation.ts';
import { type Addressed, type Routed, TOKEN_ADDRESS } from './routing.ts';

/** Bytes of a form. */
const LONGEST_FORM = 16 * 1024;
const NEEDED = 'A token is needed here, as the password of any user name.';
const UNKNOWN = 'That is none of the tokens that are known here: a token is given as the password of any user name.';

/**
 * The root of a protocol: tells clients that it is spoken, and whether they are known. Who brings nothing is asked for a token
 * even where anybody may read, because clients send what they have only when they are asked. Throws `Fault`.
 */
export function ping({ method, headers }: IncomingMessage, access: Access): Body {
  if (method !== 'GET' && method !== 'HEAD') throw new Fault('unsupported', `${method} is not possible here.`);
  if (credentialOf(headers) === undefined) throw new Fault('unauthenticated', NEEDED);
  if (!access.principalOf(headers)) throw new Fault('unauthenticated', UNKNOWN);
  return json({});
}

/** Docker Registry token authentication, by GET, and by POST as OAuth 2.0 has it. Throws `Fault`. */
export async function grantToken(request: IncomingMessage, response: ServerResponse, access: Access): Promise<Body> {
  const { credential, user } = await broughtBy(request, response);
  const holder = access.holderOf(credential);
  if (!holder) throw new Fault('unauthenticated', credential === undefined ? NEEDED : UNKNOWN);
  return json(granted(access, holder, credential === undefined ? undefined : user));
}

/** How clients of the protocol learn where a token is had; undefined where they use none. */
export function challengeOf(routed: Routed, origin: string, headers: IncomingHttpHeaders): string | undefined {
  const { traits } = routed.kind === 'repository' ? routed.repository.format : routed.format;
  if (!traits.tokens || traits.root === undefined) return undefined;
  const scope = routed.kind === 'repository' ? scopeOf(routed) : undefined;
  const parameters = {
    realm: `${origin}/${traits.root}/${TOKEN_ADDRESS}`,
    service: new URL(origin).host,
    ...(scope !== undefined && { scope }),
    ...(credentialOf(headers) !== undefined && { error: 'invalid_token' }),
  };
  const pairs = Object.entries(parameters).map(([name, value]) => `${name}="${value}"`);
  return `Bearer ${pairs.join(',')}`;
}

/** What was asked for, as clients call it; undefined: nothing that there could be. */
function scopeOf({ repository, rest, query, prefix }: Addressed): string | undefined {
  const { format, options } = repository;
  try {
    const request = { method: 'GET', path: canonicalPath(rest), query, accept: undefined };
    const target = format.parse(request, { base: '', options });
    const name = target && nameOf(target);
    if (name === undefined) return target?.kind === 'index' ? 'registry:catalog:*' : undefined;
    return `repository:${prefix}${name}:pull`;
  } catch (error) {
    if (error instanceof Fault || error instanceof Malformed) return undefined;
    throw error;
  }
}

function nameOf(target: Target): string | undefined {
  switch (target.kind) {
    case 'artifact':
    case 'index':
      return target.name;
    case 'derived':
      return target.of.name;
    case 'alias':
      return target.of[0]?.name;
    case 'call':
      return undefined;
  }
}

interface Brought {
  readonly credential: string | undefined;
  readonly user: string | undefined;
}

async function broughtBy(request: IncomingMessage, response: ServerResponse): Promise<Brought> {
  const { method, headers } = request;
  if (method === 'GET') {
    const [credential, user] = [credentialOf(headers), userOf(headers)];
    // Neither a name nor a password, which some clients send for nobody.
    return { credential: credential === '' && user === undefined ? undefined : credential, user };
  }
  if (method !== 'POST') throw new Fault('unsupported', `${method} is not possible here.`);
  invite(request, response);
  const form = await formOf(request);
  switch (form.get('grant_type')) {
    case 'password':
      return { credential: form.get('password') ?? '', user: form.get('username') ?? undefined };
    case 'refresh_token':
      return { credential: form.get('refresh_token') ?? '', user: undefined };
    default:
      throw new Fault('invalid', 'grant_type must be password or refresh_token.');
  }
}

async function formOf(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > LONGEST_FORM) throw new Fault('too_large', `The form is larger than ${LONGEST_FORM} bytes.`);
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}

function granted(access: Access, holder: Principal, user: string | undefined): Readonly<Record<string, unknown>> {
  const { value, expiresIn, issuedAt } = access.shortToken(holder, user);
  return { token: value, access_token: value, expires_in: expiresIn, issued_at: new Date(issuedAt).toISOString() };
}

function json(value: Readonly<Record<string, unknown>>): Body {
  return { bytes: JSON.stringify(value), type: 'application/json' };
}
