import { inspect, type Problem } from '../contract/index.ts';
import { Fault } from '../engine/fault.ts';
import { formats } from '../formats/all.ts';
import { type DeclaredKind, declaredKind } from './kinds.ts';
import { policyProblems } from './policy-problems.ts';
import { comparable, completed, isRecord, withKeptSecrets, withoutSecrets } from './spec.ts';

export type Spec = Readonly<Record<string, unknown>>;

/**
 * The spec exactly as given, key order kept. Throws `Fault('invalid')` whose `details.errors` name every offending field.
 * On a PUT the secrets that the caller left out are put back first: `validate(kind, withSecrets(kind, body, stored))`.
 */
export function validate(kind: string, body: unknown): Record<string, unknown> {
  const declared = declaredKind(kind);
  const wrong = inspect(declared.declared, body);
  const problems = [...wrong, ...formatProblems(declared, body), ...policyProblems(kind, body, wrong)];
  if (problems.length > 0) throw invalid(kind, problems);
  return structuredClone(body) as Record<string, unknown>;
}

/** The spec with every default filled in, also those of nested objects and of the format's options. */
export function effective(kind: string, spec: Spec): Record<string, unknown> {
  return completed(fieldsFor(kind, spec), spec);
}

/** The spec without its secrets: the only form that leaves the server. */
export function masked(kind: string, spec: Spec): Record<string, unknown> {
  return withoutSecrets(fieldsFor(kind, spec), spec);
}

/**
 * Takes any body. A secret that `next` leaves out is kept from `prior` when the object it stands in is otherwise
 * unchanged and every URL of the resource keeps its origin: a stored credential never follows a remote to another server.
 */
export function withSecrets(kind: string, next: unknown, prior: Spec | undefined): unknown {
  if (!prior || !isRecord(next)) return next;
  const fields = fieldsFor(kind, prior);
  const moved = fields.some(({ name, format }) => format === 'url' && originOf(next[name]) !== originOf(prior[name]));
  return moved ? next : withKeptSecrets(fields, next, prior);
}

/** A text that is equal for specs that mean the same: keys and sets sorted, defaults dropped. For comparison only. */
export function canonical(kind: string, spec: Spec): string {
  return JSON.stringify(comparable(fieldsFor(kind, spec), spec));
}

function fieldsFor(kind: string, spec: Spec): DeclaredKind['schema']['fields'] {
  const { schema, options } = declaredKind(kind);
  return schema.fields.filter(({ name }) => !options.has(name) || name === spec['format']);
}

/** What only the installed formats can say about a spec. */
function formatProblems({ schema, options }: DeclaredKind, body: unknown): Problem[] {
  if (!isRecord(body)) return [];
  const format = formats.find(({ id }) => id === body['format']);
  if (!format) return [];
  const joined = new Set(schema.fields.map(({ name }) => name));
  const foreign = Object.keys(body).filter((name) => options.has(name) && name !== format.id && joined.has(name));
  const problems: Problem[] = foreign.map((name) => ({
    path: [name],
    message: `does not belong to a ${schema.kind} of format ${format.id}: these are options of format ${name}`,
  }));
  if (joined.has('url') && body['url'] === undefined && !format.traits.upstream) {
    const message = `is required: format ${format.id} has no public registry to fetch from`;
    problems.push({ path: ['url'], message });
  }
  if (body['merge'] === 'union' && format.traits.signedIndexes) {
    const message = `must be first: indexes of format ${format.id} are signed, and what is made of several would have no signature`;
    problems.push({ path: ['merge'], message });
  }
  return problems;
}

function invalid(kind: string, errors: readonly Problem[]): Fault {
  const shown = errors
    .slice(0, 5)
    .map(({ path, message }) => (path.length ? `${pathText(path)} ${message}` : `it ${message}`));
  const more = errors.length > shown.length ? `; and ${errors.length - shown.length} more` : '';
  return new Fault('invalid', `the ${kind} is not valid: ${shown.join('; ')}${more}`, { details: { errors } });
}

/** `auth.token`, `members[2]` */
function pathText(path: Problem['path']): string {
  return path.map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index ? '.' : ''}${step}`)).join('');
}

function originOf(url: unknown): string | undefined {
  return typeof url === 'string' && URL.canParse(url) ? new URL(url).origin : undefined;
}
