import { datedBy } from '../../policy/sentences.ts';
import { reasonPhrase } from '../answer/http.ts';
import type { Fault } from '../fault.ts';

/** What a person is told, in the shapes that clients show: each is one line of printable ASCII. */
export interface FaultText {
  /** For bodies. */
  readonly whole: string;
  /** For the status line, which apt reads up to 359 characters of. */
  readonly line: string;
  /** For a header. */
  readonly header: string;
}

const LONGEST_LINE = 350;
const LONGEST_HEADER = 1500;

/** A refusal says also by what it was judged, what to use instead and whom to ask; any other fault only what went wrong. */
export function textOf(fault: Fault): FaultText {
  const { message, code, details } = fault;
  if (code !== 'withheld') return { whole: message, line: reasonPhrase(message), header: reasonPhrase(message) };
  const { nearest, help, evidence, decision } = details;
  const dated = evidence === undefined ? undefined : datedBy(evidence);
  const use = nearest === undefined ? undefined : `Nearest admissible version: ${nearest}.`;
  const number = decision === undefined ? undefined : `Decision ${decision}.`;
  const whole = reasonPhrase(joined([message, dated, use, number, help]), Number.POSITIVE_INFINITY);
  return { whole, line: shortened(message, dated, use, help), header: reasonPhrase(whole, LONGEST_HEADER) };
}

type Part = string | undefined;

/** What does not fit is left out whole: by what it was judged first, what to use instead last. */
function shortened(message: string, dated: Part, use: Part, help: Part): string {
  const choices = [
    [message, dated, use, help],
    [message, use, help],
    [message, use],
  ].map((parts) => reasonPhrase(joined(parts), Number.POSITIVE_INFINITY));
  return choices.find(({ length }) => length <= LONGEST_LINE) ?? reasonPhrase(message, LONGEST_LINE);
}

function joined(parts: readonly Part[]): string {
  return parts.filter((part) => part !== undefined).join(' ');
}
