import { Fault } from './fault.ts';
import { type AnyFormat, Malformed, Refused, type Target } from './format.ts';

/** What a format makes of a request, its refusals as faults. */
export function understood<Result>(parsed: () => Result): Result {
  try {
    return parsed();
  } catch (error) {
    throw faultOf(error);
  }
}

/** What a path of ours means by itself, as an unconditional GET of it. */
export function targetAt(
  format: AnyFormat,
  options: Readonly<Record<string, unknown>>,
  path: string,
): Target | undefined {
  const request = { method: 'GET', path, query: '', accept: undefined };
  return understood(() => format.parse(request, { base: '', options }));
}

/** A format's refusal as a fault; everything else as it is. */
export function faultOf(error: unknown): unknown {
  if (error instanceof Malformed) return new Fault('invalid', `${error.message}.`, { cause: error });
  if (error instanceof Refused) return new Fault(error.code, `${error.message}.`, { cause: error });
  return error;
}
