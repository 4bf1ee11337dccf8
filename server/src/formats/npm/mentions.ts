import { type CallTarget, Malformed, type Place, type Target } from '../../engine/format.ts';
import { isJson, type Json, own, ownText } from '../json.ts';
import { wordsIn } from '../search-words.ts';
import { isName } from './names.ts';

/** Names of packages in what is searched for, or in what an audit says is used. Throws `Malformed`. */
export function mentions(target: Target): readonly string[] {
  if (target.kind !== 'call' || !target.place) return [];
  const body = bodyOf(target.place);
  return body === undefined ? wordsIn(target.place.path, 'text').flatMap(searched) : [...namesIn(body)];
}

/** An audit of what is left. Throws `Malformed`. */
export function without(call: CallTarget, isLeftOut: (name: string) => boolean): CallTarget | undefined {
  const body = call.place && bodyOf(call.place);
  if (!call.place || body === undefined) return undefined;
  return { ...call, place: { ...call.place, body: Buffer.from(JSON.stringify(rest(body, isLeftOut))) } };
}

/** `scope:acme` and `@acme` search for all of a scope. */
function searched(word: string): readonly string[] {
  const value = word.replace(/^(?:scope|name|package):/, '');
  if (word.startsWith('scope:')) return [`@${value.replace(/^@/, '')}/`];
  return [value.startsWith('@') && !value.includes('/') ? `${value}/` : value];
}

function bodyOf({ body }: Place): unknown {
  if (body === undefined) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch (cause) {
    throw new Malformed(`what is to be audited is not JSON: ${(cause as Error).message}`);
  }
}

/** Deeper than any tree of packages. */
const DEEPEST = 500;

/** Keys are names, or places in `node_modules`; the project's own name stands beside them. */
function* namesIn(value: unknown, depth = 0): Iterable<string> {
  if (depth > DEEPEST) throw new Malformed('what is to be audited is nested too deep');
  if (Array.isArray(value)) for (const entry of value) yield* namesIn(entry, depth + 1);
  if (!isJson(value)) return;
  const project = ownText(value, 'name');
  if (project !== undefined) yield project;
  for (const [key, entry] of Object.entries(value)) {
    const name = nameOf(key);
    if (isName(name)) yield name;
    yield* namesIn(entry, depth + 1);
  }
}

function rest(value: unknown, isLeftOut: (name: string) => boolean): unknown {
  if (Array.isArray(value)) return value.map((entry) => rest(entry, isLeftOut));
  if (!isJson(value)) return value;
  const kept: [string, unknown][] = Object.entries(value)
    .filter(([key]) => !isLeftOut(nameOf(key)))
    .map(([key, entry]) => [key, rest(entry, isLeftOut)]);
  const project = own(value, 'name');
  const json: Json = Object.fromEntries(kept);
  return typeof project === 'string' && isLeftOut(project) ? { ...json, name: 'project' } : json;
}

const nameOf = (key: string): string => key.replace(/^.*node_modules\//s, '');
