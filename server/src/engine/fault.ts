import type { Age } from '../policy/evidence.ts';

/** Every outcome meant for a caller; `docs/errors.md` describes each, and a test walks both. */
export const FAULT_CODES = [
  'invalid',
  'unauthenticated',
  'forbidden',
  'withheld',
  'not_found',
  'unsupported',
  'conflict',
  'precondition_failed',
  'too_large',
  'unsupported_media_type',
  'rate_limited',
  'integrity',
  'upstream_unavailable',
  'unavailable',
  'internal',
] as const;

export type FaultCode = (typeof FAULT_CODES)[number];

/** The one table from code to HTTP status. */
export const FAULT_STATUS: Readonly<Record<FaultCode, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  withheld: 403,
  not_found: 404,
  unsupported: 405,
  conflict: 409,
  precondition_failed: 412,
  too_large: 413,
  unsupported_media_type: 415,
  rate_limited: 429,
  integrity: 502,
  upstream_unavailable: 502,
  unavailable: 503,
  internal: 500,
};

/** What a refused caller is told; see `interfaces` §2 of the design and `docs/refusals.md`. */
export interface FaultDetails {
  /** Name of the policy rule that refused, for `withheld`. */
  readonly rule?: string;
  /** Epoch milliseconds at which the refusal lifts by itself. */
  readonly until?: number;
  /** Name of the package, as its format has it, and the version that is refused; absent: a file of none, or all of them. */
  readonly package?: string | undefined;
  readonly version?: string | undefined;
  /** What its age was judged by. */
  readonly evidence?: Age;
  /** The version to use instead, where one is known. */
  readonly nearest?: string;
  /** Whom to ask, for people. */
  readonly help?: string;
  /** Id of the decision, where it is on record. */
  readonly decision?: string;
  /** Seconds after which asking again may help: becomes `Retry-After`. */
  readonly retryAfter?: number;
  /** How to sign in, where that is not by Basic: becomes `WWW-Authenticate`. */
  readonly challenge?: string;
  /** The upstream's own status, when it answered. */
  readonly upstreamStatus?: number;
  /** One entry per offending field of a request body. */
  readonly errors?: readonly FieldError[];
  /** Anything a management client can act on: the users of a resource in use, the current revision. */
  readonly [key: string]: unknown;
}

export interface FieldError {
  /** Where: property names and list positions from the root of the body. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** The only exception that is an answer; anything else that is thrown is a bug and is answered `internal`. */
export class Fault extends Error {
  override readonly name = 'Fault';

  constructor(
    readonly code: FaultCode,
    message: string,
    readonly options: { readonly cause?: unknown; readonly details?: FaultDetails } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
  }

  get status(): number {
    return FAULT_STATUS[this.code];
  }

  get details(): FaultDetails {
    return this.options.details ?? {};
  }
}

/** The upstream cannot say, or what it says cannot be used: an older copy may answer. */
export function isOutage(fault: Fault): boolean {
  return fault.code === 'upstream_unavailable' || fault.code === 'too_large' || fault.code === 'integrity';
}

/** For `catch`: an answer is a value, a bug is thrown on. */
export function faultOnly(error: unknown): Fault {
  if (error instanceof Fault) return error;
  throw error;
}
