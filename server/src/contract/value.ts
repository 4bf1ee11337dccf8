import { IsBoolean, IsIn, IsInt, IsString, Matches, Max, MaxLength, Min, MinLength } from 'class-validator';
import { RE2JS } from 're2js';
import { BYTES_HELP, BYTES_PATTERN, bytes } from './bytes.ts';
import { ensure, mustBe, parsed, quoted } from './checks.ts';
import { DURATION_HELP, DURATION_PATTERN, duration } from './duration.ts';
import type { ValueSchema } from './field-schema.ts';
import { checkPem, type PemKind } from './pem.ts';
import { RESERVED_NAMES } from './reserved.ts';
import type { Shape } from './shape.ts';
import { suggestion } from './suggest.ts';
import { parseTime, TIME_HELP, TIME_PATTERN } from './time.ts';
import { checkUrl } from './url.ts';

export interface TextLimits {
  /** Characters; default 1. */
  readonly minLength?: number;
  /** Characters; default 1000. */
  readonly maxLength?: number;
  /** A regular expression that means the same in JavaScript, Go and RE2, and what it asks for, to follow "must be". */
  readonly pattern?: readonly [pattern: string, help: string];
}

export interface Range {
  readonly min?: number;
  readonly max?: number;
}

const NAME_PATTERN = '^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$';
const NAME_HELP =
  'a name of 1 to 63 lower-case letters, digits, dots, dashes and underscores, letters or digits at both ends';
export const PACKAGES_PATTERN = '^[Pp][Kk][Gg]:/{0,3}[^/?#\\s]+/[^\\s]+$';
export const PACKAGES_HELP = 'a package URL such as pkg:npm/lodash, pkg:npm/%40acme/* or pkg:npm/lodash@4.17.21';
const string = IsString(mustBe('a string'));

export function text(limits: TextLimits = {}): Shape {
  const { minLength = 1, maxLength = 1000, pattern } = limits;
  const checks = [string, ...length(minLength, maxLength)];
  const schema: ValueSchema = { type: 'string', minLength, maxLength };
  if (!pattern) return { schema, checks };
  return {
    schema: { ...schema, pattern: pattern[0], pattern_help: pattern[1] },
    checks: [...checks, matches(pattern[0], pattern[1])],
  };
}

/** A name of a resource. */
export function name(): Shape {
  return {
    schema: { type: 'string', format: 'name', pattern: NAME_PATTERN, pattern_help: NAME_HELP },
    checks: [string, ...length(1, 63), matches(NAME_PATTERN, NAME_HELP)],
  };
}

/** A name that is also the first segment of a repository's address. */
export function repositoryName(): Shape {
  const { schema, checks } = name();
  const free = ensure('free', (value) =>
    RESERVED_NAMES.has(String(value))
      ? `must not be ${quoted(value)}: Entrepot answers that address itself`
      : undefined,
  );
  return { schema, checks: [...checks, free] };
}

export function url(): Shape {
  return {
    schema: {
      type: 'string',
      format: 'url',
      pattern: '^https?://',
      pattern_help: 'an address that starts with https:// or http://',
      maxLength: 2000,
    },
    checks: [string, ...length(1, 2000), parsed('url', checkUrl)],
  };
}

export function durationText(limits: { readonly min?: string; readonly max?: string } = {}): Shape {
  const between = ensure('between', (value) => {
    const asked = duration(String(value));
    if (limits.min !== undefined && asked < duration(limits.min)) return `must be at least ${limits.min}, not ${value}`;
    if (limits.max !== undefined && asked > duration(limits.max)) return `must be at most ${limits.max}, not ${value}`;
    return undefined;
  });
  return {
    schema: { type: 'string', format: 'duration', pattern: DURATION_PATTERN, pattern_help: DURATION_HELP },
    checks: [string, parsed('duration', duration), between],
  };
}

export function timeText(): Shape {
  return {
    schema: { type: 'string', format: 'time', pattern: TIME_PATTERN, pattern_help: TIME_HELP },
    checks: [string, parsed('time', parseTime)],
  };
}

/** A pattern of packages; what it means is asked where the ecosystems are known. */
export function packagePattern(): Shape {
  return {
    schema: {
      type: 'string',
      format: 'packages',
      pattern: PACKAGES_PATTERN,
      pattern_help: PACKAGES_HELP,
      maxLength: 1000,
    },
    checks: [string, ...length(1, 1000), matches(PACKAGES_PATTERN, PACKAGES_HELP)],
  };
}

/** Names that are claimed; how an ecosystem folds them is asked where the ecosystems are known. */
export function claimText(): Shape {
  return text({ maxLength: 300 });
}

export function byteCount(): Shape {
  return {
    schema: { type: 'string', format: 'bytes', pattern: BYTES_PATTERN, pattern_help: BYTES_HELP },
    checks: [string, parsed('bytes', bytes)],
  };
}

export function integer({ min, max }: Range = {}): Shape {
  return {
    schema: { type: 'integer', ...(min !== undefined && { min }), ...(max !== undefined && { max }) },
    checks: [
      IsInt(mustBe('a whole number')),
      ...(min === undefined ? [] : [Min(min, { message: `must be at least ${min}, not $value` })]),
      ...(max === undefined ? [] : [Max(max, { message: `must be at most ${max}, not $value` })]),
    ],
  };
}

export function bool(): Shape {
  return { schema: { type: 'bool' }, checks: [IsBoolean(mustBe('true or false'))] };
}

export function oneOf(values: readonly string[]): Shape {
  const among = (value: unknown): string => {
    const near = suggestion(String(value), values);
    return `must be one of ${values.join(', ')}, not ${quoted(value)}${near ? `: did you mean ${near}?` : ''}`;
  };
  return {
    schema: { type: 'string', enum: values },
    checks: [string, IsIn([...values], { message: ({ value }) => among(value) })],
  };
}

/** A linear-time regular expression, RE2 syntax. */
export function pattern(): Shape {
  return {
    schema: { type: 'string', format: 'regex', minLength: 1, maxLength: 1000 },
    checks: [string, ...length(1, 1000), ensure('regex', notRe2)],
  };
}

export function pem(kind: PemKind): Shape {
  return {
    schema: { type: 'string', format: 'pem', maxLength: 100_000 },
    checks: [string, ...length(1, 100_000), parsed('pem', (value) => checkPem(value, kind))],
  };
}

function notRe2(value: unknown): string | undefined {
  try {
    RE2JS.compile(String(value));
    return undefined;
  } catch (cause) {
    const lookaround = /\(\?(<?[=!])/.test(String(value)) ? ' (RE2 has no lookahead and no lookbehind)' : '';
    return `${quoted(value)} is not a regular expression of RE2 syntax: ${(cause as Error).message}${lookaround}`;
  }
}

function length(min: number, max: number): PropertyDecorator[] {
  return [
    MinLength(min, { message: min === 1 ? 'must not be empty' : `must have at least ${min} characters` }),
    MaxLength(max, { message: ({ value }) => `must have at most ${max} characters, not ${String(value).length}` }),
  ];
}

function matches(expression: string, help: string): PropertyDecorator {
  return Matches(new RegExp(expression), { message: ({ value }) => `must be ${help}, not ${quoted(value)}` });
}
