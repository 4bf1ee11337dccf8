import { Malformed } from '../engine/format.ts';

/** A JSON object as it came from outside. Read own properties only: a key may be `__proto__` or `constructor`. */
export type Json = Readonly<Record<string, unknown>>;

export const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `what` begins the sentence a person reads: "The packument of express". Throws `Malformed`. */
export function parseJson(bytes: Uint8Array, what: string): Json {
  const value = parse(new TextDecoder().decode(bytes), what);
  if (!isJson(value)) throw new Malformed(`${what} is JSON but not an object`);
  return value;
}

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const seen = text.trimStart().startsWith('<') ? 'markup, perhaps an error or login page' : 'not JSON';
    throw new Malformed(`${what} is ${text.trim() === '' ? 'empty' : seen}`, { cause });
  }
}

export const own = (object: Json, key: string): unknown => (Object.hasOwn(object, key) ? object[key] : undefined);

export function ownText(object: Json, key: string): string | undefined {
  const value = own(object, key);
  return typeof value === 'string' ? value : undefined;
}
