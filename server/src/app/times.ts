import { parseTime } from '../contract/index.ts';
import type { FieldError } from '../engine/fault.ts';

/** What is wrong with the times of a spec at the moment it is declared; later they may pass. */
export function timeErrors(kind: string, spec: Readonly<Record<string, unknown>>, now: number): FieldError[] {
  if (kind !== 'exemption' && kind !== 'freeze') return [];
  const { before, expires_at: end } = spec;
  const at = new Date(now).toISOString();
  return [
    ...(typeof before === 'string' && parseTime(before) > now
      ? [{ path: ['before'], message: `must not be in the future: it is ${at} now` }]
      : []),
    ...(typeof end === 'string' && parseTime(end) <= now
      ? [{ path: ['expires_at'], message: `must be in the future: it is ${at} now` }]
      : []),
  ];
}
