import { ArrayMaxSize, ArrayMinSize, IsArray, IsInstance, ValidateNested } from 'class-validator';
import { ensure, mustBe, quoted } from './checks.ts';
import { type Declared, fieldsOf, type Shape } from './shape.ts';

export interface Counts {
  /** Default 0. */
  readonly minItems?: number;
  /** Default 1000. */
  readonly maxItems?: number;
}

export interface Keys {
  readonly pattern: string;
  readonly help: string;
  /** Why a key, in lower case, is refused. */
  readonly refused?: Readonly<Record<string, string>>;
  /** Two keys that differ in case alone are two. */
  readonly caseMatters?: true;
}

export const list = (element: Shape, counts: Counts = {}): Shape => sequence('list', element, counts);

/** A list without order and without repetition. */
export const set = (element: Shape, counts: Counts = {}): Shape => sequence('set', element, counts);

export function map(element: Shape, keys: Keys, { maxItems = 100 }: Counts = {}): Shape {
  return {
    schema: { type: 'map', element: element.schema, pattern: keys.pattern, pattern_help: keys.help, maxItems },
    checks: [
      IsInstance(Map, mustBe('an object')),
      ensure('size', (value) => tooMany((value as Map<string, unknown>).size, maxItems)),
      ensure('keys', (value) => wrongKey([...(value as Map<string, unknown>).keys()], keys)),
      ValidateNested(),
    ],
    element: { shape: element, box: boxOf(element) },
  };
}

export function object(of: Declared): Shape {
  const fields = fieldsOf(of).map((field) => field.schema);
  return { schema: { type: 'object', fields }, checks: [IsInstance(of, mustBe('an object')), ValidateNested()], of };
}

function sequence(type: 'list' | 'set', element: Shape, { minItems = 0, maxItems = 1000 }: Counts): Shape {
  return {
    schema: { type, element: element.schema, maxItems, ...(minItems > 0 && { minItems }) },
    checks: [
      IsArray(mustBe('a list')),
      ArrayMinSize(minItems, { message: `must have at least ${minItems === 1 ? 'one item' : `${minItems} items`}` }),
      ArrayMaxSize(maxItems, { message: ({ value }) => tooMany((value as unknown[]).length, maxItems) ?? '' }),
      ...(type === 'set' ? [unique] : []),
      ValidateNested(),
    ],
    element: { shape: element, box: boxOf(element) },
  };
}

/** For lists whose order matters and whose items must differ all the same. */
export const unique = ensure('unique', (value) => {
  const items = (value as readonly { readonly value: unknown }[]).map((box) => JSON.stringify(box.value));
  const seen = new Set<string>();
  const again = items.find((item) => seen.size === seen.add(item).size);
  return again === undefined ? undefined : `must not repeat an item: ${again.slice(0, 80)} is there twice`;
});

function tooMany(count: number, max: number): string | undefined {
  return count > max ? `must have at most ${max} items, not ${count}` : undefined;
}

function wrongKey(keys: readonly string[], { pattern, help, refused = {}, caseMatters }: Keys): string | undefined {
  const expression = new RegExp(pattern);
  const seen = new Set<string>();
  for (const key of keys) {
    const folded = key.toLowerCase();
    if (key === '__proto__' || !expression.test(key)) return `key ${quoted(key)} must be ${help}`;
    if (Object.hasOwn(refused, folded)) return `key ${quoted(key)} is not allowed: ${refused[folded]}`;
    if (!caseMatters && seen.has(folded)) return `key ${quoted(key)} is there twice, in different case`;
    seen.add(folded);
  }
  return undefined;
}

/** class-validator asks about properties: an item of a list, set or map becomes the property `value` of one of these. */
export class Element {}

function boxOf(element: Shape): Declared {
  const box = class extends Element {};
  for (const check of element.checks) check(box.prototype, 'value');
  return box;
}
