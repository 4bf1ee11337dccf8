import { foldedForWildcards, nameProblem, packageKey } from './package-key.ts';
import { parseRange, quoted, type VersionRange } from './version-range.ts';
import type { VersionOrder } from './versions.ts';

/** Packages that a rule is about: `pkg:npm/lodash`, `pkg:npm/%40acme/*`, with a version or a range of versions. */
export interface PackagePattern {
  readonly type: string;
  /** As `packageKey` spells it; with `*` for any run of characters, slashes too, where `wildcard` says so. */
  readonly key: string;
  readonly wildcard: boolean;
  readonly version?: string;
  readonly range?: VersionRange;
}

/** The orders of versions by package type; a type that is not there is no ecosystem of ours. */
export type VersionOrders = ReadonlyMap<string, VersionOrder | undefined>;

const LONGEST = 1000;

/** Throws `RangeError` that says, to follow the name of the field, what is wrong with the pattern. */
export function parsePattern(text: string, orders: VersionOrders): PackagePattern {
  if (text.length > LONGEST) throw new RangeError(`must have at most ${LONGEST} characters, not ${text.length}`);
  const [, given, rest, query] = /^pkg:\/{0,3}([^/?#]+)\/([^?#]+)(?:\?([^#]*))?$/i.exec(text) ?? [];
  if (given === undefined || rest === undefined)
    throw new RangeError(`must be a package URL such as pkg:npm/lodash or pkg:npm/%40acme/*, not ${quoted(text)}`);
  const type = given.toLowerCase();
  if (!orders.has(type))
    throw new RangeError(`is of type ${quoted(given)}, which is not known; known are ${[...orders.keys()].join(', ')}`);
  const { path, version } = split(rest);
  const vers = rangeOf(query);
  if (version !== undefined && vers !== undefined)
    throw new RangeError('must have a version after @ or a range of versions, not both');
  return {
    type,
    ...keyOf(type, path),
    ...(version === undefined ? {} : { version }),
    ...(vers === undefined ? {} : { range: parseRange(vers, type, orders.get(type)) }),
  };
}

/** Above zero: the one says more of a package than the other. The longest name wins, then the one about versions. */
export function moreSpecific(one: PackagePattern, other: PackagePattern): number {
  return (
    literal(one) - literal(other) ||
    Number(other.wildcard) - Number(one.wildcard) ||
    versionRank(one) - versionRank(other)
  );
}

/** `*` stands for any run of characters. Linear in pattern times text, whatever they are. */
export function wildcardMatches(pattern: string, text: string): boolean {
  const [first = '', ...parts] = pattern.split('*');
  const last = parts.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const part of parts) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= text.length - last.length;
}

function literal({ key }: PackagePattern): number {
  return key.replaceAll('*', '').length;
}

function versionRank({ version, range }: PackagePattern): number {
  if (version !== undefined) return 2;
  return range ? 1 : 0;
}

function split(rest: string): { readonly path: string; readonly version?: string } {
  // A scope begins with an `@` of its own, which people leave unencoded.
  const name = rest.slice(rest.lastIndexOf('/') + 1);
  const mark = name.lastIndexOf('@');
  if (mark < 1) return { path: rest };
  const version = decoded(name.slice(mark + 1));
  if (version === '') throw new RangeError('must have a version after @, or no @');
  if (version.includes('*'))
    throw new RangeError('must not have * in its version: leave the version out, or write a range after ?vers=');
  requirePlain(version);
  return { path: rest.slice(0, rest.length - name.length + mark), version };
}

function rangeOf(query: string | undefined): string | undefined {
  if (query === undefined) return undefined;
  const [, range] = /^vers=([^&]*)$/.exec(query) ?? [];
  if (range === undefined)
    throw new RangeError(`must have nothing but a range of versions after ?, written vers=, not ${quoted(query)}`);
  return decoded(range);
}

function keyOf(type: string, path: string): Pick<PackagePattern, 'key' | 'wildcard'> {
  const segments = path.split('/').map(decoded);
  for (const segment of segments) {
    requirePlain(segment);
    if (segment === '' || segment === '.' || segment === '..')
      throw new RangeError(`must not have ${segment === '' ? 'an empty part' : quoted(segment)} in its name`);
  }
  const whole = segments.join('/');
  // OCI's package URLs have the folders of an image in its name.
  const cut = type === 'oci' ? -1 : whole.lastIndexOf('/');
  const [namespace, name] = [whole.slice(0, Math.max(0, cut)), whole.slice(cut + 1)];
  const wildcard = whole.includes('*');
  const problem = wildcard ? wildcardProblem(type, whole) : nameProblem({ type, namespace, name });
  if (problem !== undefined) throw new RangeError(`does not name a package: ${problem}`);
  if (type === 'deb' && !whole.includes('/') && whole !== '*')
    throw new RangeError(`must name the distribution: pkg:deb/debian/${whole}, or pkg:deb/*/${whole} for any`);
  return { wildcard, key: wildcard ? foldedForWildcards(type, whole) : packageKey({ type, namespace, name }) };
}

/** What would never be the name of any package. */
function wildcardProblem(type: string, whole: string): string | undefined {
  if (type === 'npm' && whole.includes('/') && !/^[@*]/.test(whole)) return 'a scope of npm begins with @';
  if (whole.includes('**')) return 'one * stands for any run of characters, slashes too';
  return undefined;
}

function requirePlain(text: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (/[\s\x00-\x1f\x7f\\]/.test(text)) throw new RangeError('must not have blanks, control characters or backslashes');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RangeError(`has ${quoted(text)}, whose percent encoding is broken`);
  }
}
