import { Fault } from './fault.ts';
import { Malformed, Refused } from './format.ts';

/** What a format makes of a request, its refusals as faults. */
export function understood<Result>(parsed: () => Result): Result {
  try {
    return parsed();
  } catch (error) {
    throw faultOf(error);
  }
}

/** A format's refusal as a fault; everything else as it is. */
export function faultOf(error: unknown): unknown {
  if (error instanceof Malformed) return new Fault('invalid', `${error.message}.`, { cause: error });
  if (error instanceof Refused) return new Fault(error.code, `${error.message}.`, { cause: error });
  return error;
}
