import { STATUS_CODES } from 'node:http';
import type { Fault } from '../engine/fault.ts';

/** RFC 9457. `code` is what a program acts on; beyond it stands whatever the fault says a client can act on. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly request_id: string;
  readonly [detail: string]: unknown;
}

export function problemOf(fault: Fault, requestId: string): Problem {
  return problem(fault.status, fault.code, fault.message, requestId, fault.details);
}

/** `code`: a fault's, or one that only HTTP has. */
export function problem(
  status: number,
  code: string,
  detail: string,
  requestId: string,
  details: Readonly<Record<string, unknown>> = {},
): Problem {
  const told = Object.fromEntries(Object.entries(details).map(([name, value]) => [snakeCase(name), value]));
  return {
    ...told,
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail,
    code,
    request_id: requestId,
  };
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
