import type { Body, Format, Target } from '../../engine/format.ts';
import { codeOfWrong } from './names.ts';

type FaultCode = Parameters<Format<unknown>['fault']>[0];

/** Distribution spec, "Error Codes", and those that registries had before it. */
const CODES: Readonly<Partial<Record<FaultCode, string>>> = {
  invalid: 'NAME_INVALID',
  unauthenticated: 'UNAUTHORIZED',
  forbidden: 'DENIED',
  withheld: 'DENIED',
  unsupported: 'UNSUPPORTED',
  too_large: 'SIZE_INVALID',
  rate_limited: 'TOOMANYREQUESTS',
  integrity: 'DIGEST_INVALID',
  upstream_unavailable: 'UNAVAILABLE',
  unavailable: 'UNAVAILABLE',
};

/** Clients print the message and some of them the code. */
export function errorBody(code: FaultCode, message: string, target: Target | undefined): Body {
  const known = code === 'not_found' ? unknownCode(target) : code === 'invalid' ? codeOfWrong(message) : undefined;
  const error = { code: known ?? CODES[code] ?? 'UNKNOWN', message };
  return { bytes: JSON.stringify({ errors: [error] }), type: 'application/json' };
}

function unknownCode(target: Target | undefined): string {
  if (target?.path.includes('/manifests/')) return 'MANIFEST_UNKNOWN';
  return target?.path.includes('/blobs/') ? 'BLOB_UNKNOWN' : 'NAME_UNKNOWN';
}
