import { ValidateBy } from 'class-validator';

/** A check of class-validator's that says in its own words what is wrong; undefined: nothing. */
export function ensure(name: string, says: (value: unknown) => string | undefined): PropertyDecorator {
  return ValidateBy({
    name,
    validator: {
      validate: (value: unknown) => says(value) === undefined,
      defaultMessage: (asked) => says(asked?.value) ?? '',
    },
  });
}

/** A check made of a function that throws an error fit for a person. */
export function parsed(name: string, parse: (value: string) => unknown): PropertyDecorator {
  return ensure(name, (value) => {
    try {
      parse(value as string);
      return undefined;
    } catch (cause) {
      return (cause as Error).message;
    }
  });
}

/** For class-validator's own checks: `must be a string, not a number`. */
export function mustBe(what: string): { message: (asked: { value: unknown }) => string } {
  return { message: ({ value }) => `must be ${what}, not ${typeName(value)}` };
}

/** What a value is, in words of JSON. */
export function typeName(value: unknown): string {
  if (value === null) return 'null (leave it out instead)';
  if (value instanceof Map) return 'an object';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'boolean') return `the boolean ${value}`;
  if (typeof value === 'number') return `the number ${value}`;
  return `a ${typeof value}`;
}

/** A value as a message quotes it: never long. */
export function quoted(value: unknown): string {
  const text = String(value);
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
}
