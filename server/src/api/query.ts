import { unknownName } from '../contract/index.ts';
import { Fault, type FieldError } from '../engine/fault.ts';

/** A query string, read strictly: a mistyped `dry_run` must not change anything. Every reader throws `Fault('invalid')`. */
export class Query {
  readonly #values = new Map<string, string>();

  /** `known`: the parameters of this call. */
  constructor(url: string, known: readonly string[]) {
    const errors: FieldError[] = [];
    for (const [name, value] of new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?') + 1) : '')) {
      if (!known.includes(name)) {
        const message = known.length > 0 ? unknownName(name, known) : 'is not known: this call has no parameters';
        errors.push({ path: [name], message });
      } else if (this.#values.has(name)) errors.push({ path: [name], message: 'is there twice' });
      this.#values.set(name, value);
    }
    if (errors.length > 0) throw wrong(errors);
  }

  text(name: string): string | undefined {
    const value = this.#values.get(name);
    if (value === '') throw wrong([{ path: [name], message: 'is empty' }]);
    if (value !== undefined && value.length > 4000)
      throw wrong([{ path: [name], message: 'is longer than 4000 characters' }]);
    return value;
  }

  /** The last parameter named like that: without it `otherwise`. */
  integer(
    name: string,
    { min, max, otherwise }: { readonly min: number; readonly max: number; readonly otherwise: number },
  ): number {
    const value = this.#values.get(name);
    if (value === undefined) return otherwise;
    const number = /^[0-9]{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= min && number <= max))
      throw wrong([{ path: [name], message: `must be a whole number from ${min} to ${max}` }]);
    return number;
  }

  flag(name: string, otherwise: boolean): boolean {
    return this.oneOf(name, ['true', 'false'], otherwise ? 'true' : 'false') === 'true';
  }

  oneOf<Value extends string>(name: string, values: readonly Value[]): Value | undefined;
  oneOf<Value extends string>(name: string, values: readonly Value[], otherwise: Value): Value;
  oneOf<Value extends string>(name: string, values: readonly Value[], otherwise?: Value): Value | undefined {
    const given = this.#values.get(name);
    if (given === undefined) return otherwise;
    const found = values.find((value) => value === given);
    if (found === undefined) throw wrong([{ path: [name], message: `must be ${values.join(' or ')}` }]);
    return found;
  }

  /** RFC 3339, as epoch milliseconds. */
  time(name: string): number | undefined {
    const value = this.#values.get(name)?.replace(' ', '+');
    if (value === undefined) return undefined;
    const time = TIME.test(value) ? Date.parse(value) : Number.NaN;
    if (Number.isNaN(time)) throw wrong([{ path: [name], message: 'must be a time such as 2026-03-01T12:00:00Z' }]);
    return time;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }
}

const TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/i;

/** How a list is walked: so many, after that one. */
export const PAGE = ['limit', 'after'] as const;

export function limitOf(query: Query): number {
  return query.integer('limit', { min: 1, max: 1000, otherwise: 100 });
}

/** One more than `limit` was asked for: whether it came says whether there is a next page. */
export function paged<Item>(
  rows: readonly Item[],
  limit: number,
  cursor: (row: Item) => string,
): { items: readonly Item[]; next?: string } {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return rows.length > limit && last !== undefined ? { items, next: cursor(last) } : { items };
}

export function wrong(errors: readonly FieldError[]): Fault {
  const sentences = errors.map(({ path, message }) => `${path.join('.')} ${message}`);
  return new Fault('invalid', sentences.slice(0, 5).join('; '), { details: { errors } });
}
