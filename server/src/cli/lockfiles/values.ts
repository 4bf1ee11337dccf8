import type { LockText } from './lock-text.ts';

/** What a parser returned, read without trusting its shape. */
export type Table = Readonly<Record<string, unknown>>;

/** An empty table for what is none. */
export function table(value: unknown): Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Table) : NOTHING;
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Undefined for what is no text, and for the empty one. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A table's own entry: `constructor` is no package unless the file says so. */
export function own(of: Table, key: string): unknown {
  return Object.hasOwn(of, key) ? of[key] : undefined;
}

/**
 * A part of a lock file that holds packages; empty when it is not there. One that is something else is an error, as its
 * packages would be passed over in silence.
 */
export function section(source: LockText, of: Table, key: string, line?: number): Table {
  const value = own(of, key);
  if (value === undefined) return NOTHING;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw source.wrong(`${JSON.stringify(key)} holds no packages`, line);
  return value as Table;
}

const NOTHING: Table = Object.freeze(Object.create(null) as Record<string, unknown>);
