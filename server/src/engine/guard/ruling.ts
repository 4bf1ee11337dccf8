import type { Objection } from '../../policy/decision.ts';
import type { Age } from '../../policy/evidence.ts';
import type { Fault } from '../fault.ts';

/** What rules made of one request, beyond yes or no. */
export interface Ruling {
  /** The rule that refused, or the exemption that lifted what would have. */
  readonly rule?: string;
  readonly reason?: string;
  /** Epoch milliseconds at which a refusal lifts by itself. */
  readonly until?: number;
  readonly evidence?: Age;
  /** Of the policy that judged. */
  readonly revision?: string;
  /** What rules that only observe would have refused; the strictest first. */
  readonly observed?: readonly Objection[];
}

/** The parts of a ruling that have columns of their own, and the rest as JSON. */
export interface RulingColumns {
  readonly rule?: string;
  /** The first of the rules that would have refused. */
  readonly observed?: string;
  readonly verdict?: string;
}

export function rulingOfFault({ message, details }: Fault): Ruling {
  const { rule, until, evidence, revision, observed } = details as Ruling;
  return { ...defined({ rule, until, evidence, revision, observed }), reason: message.replace(/\.$/, '') };
}

export function columnsOf(ruling: Ruling | undefined): RulingColumns {
  if (!ruling) return {};
  const { rule, ...rest } = ruling;
  const [first] = ruling.observed ?? [];
  return {
    ...(rule === undefined ? {} : { rule }),
    ...(first === undefined ? {} : { observed: first.rule }),
    verdict: JSON.stringify(rest),
  };
}

/** Undefined: what is on record is older than verdicts are. */
export function rulingOfColumns({ rule, verdict }: RulingColumns): Ruling | undefined {
  if (verdict === undefined) return undefined;
  return { ...(rule === undefined ? {} : { rule }), ...(JSON.parse(verdict) as Ruling) };
}

function defined(ruling: { readonly [Key in keyof Ruling]: Ruling[Key] | undefined }): Ruling {
  return Object.fromEntries(Object.entries(ruling).filter(([, value]) => value !== undefined));
}
