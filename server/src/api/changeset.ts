import type { Change, Expected } from '../app/change.ts';
import { unknownName } from '../contract/index.ts';
import type { FieldError } from '../engine/fault.ts';
import { kinds } from '../schema/kinds.ts';
import { wrong } from './query.ts';

const FIELDS = ['op', 'kind', 'name', 'spec', 'if_match', 'key'];
const MOST = 1000;

type Entry = Readonly<Record<string, unknown>>;

/** The body of `POST /config`. Specs are not validated here. Throws `Fault('invalid')` that names every wrong field. */
export function changesetOf(body: unknown): readonly Change[] {
  if (!Array.isArray(body)) throw wrong([{ path: [], message: 'the body must be a list of changes' }]);
  if (body.length > MOST)
    throw wrong([{ path: [], message: `the body must have at most ${MOST} changes, not ${body.length}` }]);
  const errors = body.flatMap((entry: unknown, index): FieldError[] => entryErrors(entry, index));
  errors.push(...repeated(body));
  if (errors.length > 0) throw wrong(errors);
  return (body as readonly Entry[]).map(changeOf);
}

function changeOf(entry: Entry): Change {
  const common = {
    kind: String(entry['kind']),
    name: String(entry['name']),
    ...(entry['if_match'] === undefined ? {} : { expected: expectedOf(entry['if_match']) }),
    ...(entry['key'] === undefined ? {} : { key: String(entry['key']) }),
  };
  return entry['op'] === 'put' ? { op: 'put', spec: entry['spec'], ...common } : { op: 'delete', ...common };
}

function expectedOf(given: unknown): Expected {
  return given === 'absent'
    ? { state: 'absent', otherwise: 'precondition_failed' }
    : { state: 'at', revisions: [Number(given)] };
}

function entryErrors(entry: unknown, index: number): FieldError[] {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry))
    return [{ path: [index], message: 'must be an object' }];
  const given = entry as Entry;
  const error = (field: string, message: string): FieldError => ({ path: [index, field], message });
  const known = kinds().map(({ kind }) => kind);
  const { op, kind, name, spec, if_match: match, key } = given;
  return [
    ...Object.keys(given).flatMap((field) =>
      FIELDS.includes(field) ? [] : [error(field, unknownName(field, FIELDS))],
    ),
    ...(op === 'put' || op === 'delete' ? [] : [error('op', 'must be put or delete')]),
    ...(typeof kind === 'string' && known.includes(kind) ? [] : [error('kind', `must be ${known.join(' or ')}`)]),
    ...(typeof name === 'string' && name !== '' ? [] : [error('name', 'must be the name of the resource')]),
    ...(op === 'delete' && spec !== undefined ? [error('spec', 'does not belong to a delete')] : []),
    ...(match === undefined || isExpected(match, op)
      ? []
      : [error('if_match', 'must be a revision, or "absent" for a put')]),
    ...(key === undefined || (typeof key === 'string' && key.length > 0 && key.length <= 200)
      ? []
      : [error('key', 'must be 1 to 200 characters')]),
  ];
}

function isExpected(match: unknown, op: unknown): boolean {
  return Number.isSafeInteger(match) || (match === 'absent' && op === 'put');
}

function repeated(entries: readonly unknown[]): FieldError[] {
  const seen = new Set<string>();
  return entries.flatMap((entry, index): FieldError[] => {
    const { kind, name } = (entry ?? {}) as Entry;
    const what = `${String(kind)} ${JSON.stringify(name)}`;
    const known = seen.has(what);
    seen.add(what);
    return known ? [{ path: [index, 'name'], message: `${what} is changed twice` }] : [];
  });
}
