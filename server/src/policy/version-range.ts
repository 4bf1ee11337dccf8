import type { Covered, VersionOrder } from './versions.ts';

/** The longer ones first: one is read before what it begins with. */
const COMPARATORS = ['!=', '<=', '>=', '=', '<', '>'] as const;

type Comparator = (typeof COMPARATORS)[number];

interface Constraint {
  readonly comparator: Comparator;
  readonly version: string;
  /** As its order spells it. */
  readonly canonical: string;
}

/** A `vers` range: constraints in ascending order of their versions; none at all: every version. */
export interface VersionRange {
  readonly constraints: readonly Constraint[];
}

const MOST = 200;

/**
 * Reads `vers:npm/>=1.0|<1.4`. Throws `RangeError` that says what is wrong: another scheme than the package's type, what
 * is no version of it, or constraints that contradict each other or select nothing.
 */
export function parseRange(text: string, type: string, order: VersionOrder | undefined): VersionRange {
  const [, scheme, rest = ''] = /^vers:([^/]*)\/(.*)/s.exec(text) ?? [];
  if (scheme === undefined) throw new RangeError(`its range must be written vers:${type}/..., not ${quoted(text)}`);
  if (scheme !== type)
    throw new RangeError(`its range must be of scheme ${type}, as the package is, not ${quoted(scheme)}`);
  if (!order) throw new RangeError(`versions of type ${type} have no order: name one after @ instead of a range`);
  if (rest === '') throw new RangeError('its range selects nothing: there is no version in it');
  if (rest === '*') return { constraints: [] };
  const constraints = rest.split('|').map((part) => constraint(part, type, order));
  if (constraints.length > MOST) throw new RangeError(`its range must have at most ${MOST} versions`);
  requireAscending(constraints, order);
  requireAlternating(constraints);
  return { constraints };
}

/** Whether the range has the version: the containment of the VERS specification. */
export function inRange({ constraints }: VersionRange, version: string, order: VersionOrder | undefined): Covered {
  if (constraints.length === 0) return 'yes';
  if (!order) return 'unknown';
  const canonical = order.canonical(version);
  if (canonical === undefined) return 'unknown';
  const named = constraints.find((each) => each.canonical === canonical);
  if (named?.comparator.endsWith('=')) return named.comparator === '!=' ? 'no' : 'yes';
  const bounds = constraints.filter(({ comparator }) => isBound(comparator));
  if (bounds.length === 0) return constraints.every(({ comparator }) => comparator === '!=') ? 'yes' : 'no';
  return between(bounds, version, order) ? 'yes' : 'no';
}

/** Lower and upper bounds alternate, so that the bounds next to the version decide: above a lower one, below an upper one. */
function between(bounds: readonly Constraint[], version: string, order: VersionOrder): boolean {
  const next = bounds.find((bound) => order.compare(version, bound.version) <= 0);
  if (!next) return bounds.at(-1)?.comparator.startsWith('>') === true;
  return order.compare(version, next.version) === 0 ? next.comparator.endsWith('=') : isUpper(next.comparator);
}

function constraint(part: string, type: string, order: VersionOrder): Constraint {
  const comparator = COMPARATORS.find((each) => part.startsWith(each));
  const version = decoded(part.slice(comparator?.length));
  if (version === '*') throw new RangeError('its range must have * alone, without other versions');
  if (version === '') throw new RangeError(`its range lacks a version${comparator ? ` after ${comparator}` : ''}`);
  const canonical = /\s/.test(version) ? undefined : order.canonical(version);
  if (canonical === undefined)
    throw new RangeError(`its range names ${quoted(version)}, which is not a version of type ${type}`);
  return { comparator: comparator ?? '=', version, canonical };
}

function requireAscending(constraints: readonly Constraint[], order: VersionOrder): void {
  for (const [at, later] of constraints.entries()) {
    const earlier = constraints[at - 1];
    if (!earlier) continue;
    const compared = order.compare(earlier.version, later.version);
    if (compared < 0) continue;
    const [one, other] = [written(earlier), written(later)];
    if (compared === 0) throw new RangeError(`its range has one version twice, in ${one} and ${other}`);
    const nothing = !isUpper(earlier.comparator) && isUpper(later.comparator) ? 'selects nothing' : 'is out of order';
    throw new RangeError(`its range ${nothing}: ${one} comes before ${other}; write the lower version first`);
  }
}

/** Two lower bounds in a row, or two upper ones: one of them says nothing, or was meant to say something else. */
function requireAlternating(constraints: readonly Constraint[]): void {
  const bounds = constraints.filter(({ comparator }) => isBound(comparator));
  for (const [at, later] of bounds.entries()) {
    const earlier = bounds[at - 1];
    if (earlier && isUpper(earlier.comparator) === isUpper(later.comparator))
      throw new RangeError(`its range has ${written(earlier)} and then ${written(later)}: one of them says nothing`);
  }
}

function isBound(comparator: Comparator): boolean {
  return comparator.startsWith('<') || comparator.startsWith('>');
}

function isUpper(comparator: Comparator): boolean {
  return comparator.startsWith('<');
}

function written({ comparator, version }: Constraint): string {
  return `${comparator}${version}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RangeError(`its range has ${quoted(text)}, whose percent encoding is broken`);
  }
}

/** For a message: JSON of it, cut where it is long. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
}
