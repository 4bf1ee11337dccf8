/** One way in that a 401 offers. */
export interface Challenge {
  /** Lower case: `basic`, `bearer`. */
  readonly scheme: string;
  /** By their lower-case names. */
  readonly parameters: ReadonlyMap<string, string>;
}

const LONGEST = 8192;
const MOST_CHALLENGES = 16;
const MOST_PARAMETERS = 16;

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const QUOTED = String.raw`"((?:[\t\x20!\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*)"`;
const PAIR = `(${TOKEN})[\\t ]*=[\\t ]*(?:${QUOTED}|(${TOKEN}))`;
const TOKEN68 = '[A-Za-z0-9._~+/-]+=*';
const END = '(?=[\\t ]*(?:,|$))';

const BETWEEN = /[\t ,]*/y;
const PARAMETER = new RegExp(`()${PAIR}${END}`, 'y');
const SCHEME = new RegExp(`(${TOKEN})(?:[\\t ]+(?:${PAIR}|${TOKEN68}))?${END}`, 'y');

/**
 * What a WWW-Authenticate header says, its lines joined by commas (RFC 9110 §11.6.1). Undefined when it is not written as
 * the RFC has it, or is larger than any in good faith.
 */
export function challengesOf(header: string): readonly Challenge[] | undefined {
  if (header.length > LONGEST) return undefined;
  const challenges: { readonly scheme: string; readonly parameters: Map<string, string> }[] = [];
  for (const element of elementsOf(header)) {
    if (!element) return undefined;
    const [, scheme = '', name, quoted, plain = ''] = element;
    if (scheme !== '') challenges.push({ scheme: scheme.toLowerCase(), parameters: new Map() });
    const parameters = challenges.at(-1)?.parameters;
    if (!parameters || challenges.length > MOST_CHALLENGES) return undefined;
    if (name !== undefined && !added(parameters, name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? plain))
      return undefined;
  }
  return challenges;
}

/** The list between the commas; undefined in place of the first thing that is neither scheme nor parameter. */
function* elementsOf(header: string): Generator<RegExpExecArray | undefined> {
  let at = 0;
  for (;;) {
    at += matched(BETWEEN, header, at)?.[0].length ?? 0;
    if (at === header.length) return;
    const element = matched(PARAMETER, header, at) ?? matched(SCHEME, header, at);
    yield element;
    at += element?.[0].length ?? 0;
  }
}

/** False for a name that was there already: two readers would not agree on what it says. */
function added(parameters: Map<string, string>, name: string, value: string): boolean {
  if (parameters.has(name) || parameters.size === MOST_PARAMETERS) return false;
  parameters.set(name, value);
  return true;
}

function matched(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}
