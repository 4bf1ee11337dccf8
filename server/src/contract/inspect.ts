import { type ValidationError, validateSync } from 'class-validator';
import { typeName } from './checks.ts';
import { Element } from './collection.ts';
import { type Declared, declarationOf, type Problem, rulesOf, type Shape } from './shape.ts';
import { unknownName } from './suggest.ts';

type Path = readonly (string | number)[];

/**
 * Everything that is wrong with a value as a declared class, in order of declaration; empty: nothing.
 * Takes anything; what is returned quotes no secret.
 */
export function inspect(declared: Declared, given: unknown): Problem[] {
  if (!isRecord(given)) return [{ path: [], message: `must be an object, not ${typeName(given)}` }];
  const unknown: Problem[] = [];
  const instance = instanceOf(declared, given, [], unknown);
  const wrong = validateSync(instance, { stopAtFirstError: true, forbidUnknownValues: false });
  const order = [...declarationOf(declared.prototype).fields.keys()];
  const problems = [...unknown, ...wrong.flatMap((error) => problemsOf(error, []))].sort(
    (one, other) => order.indexOf(String(one.path[0])) - order.indexOf(String(other.path[0])),
  );
  return [...problems, ...broken({ schema: { type: 'object' }, checks: [], of: declared }, given, [], problems)];
}

/** Class-validator asks instances; this makes them without running constructors, so that a default hides nothing. */
function instanceOf(
  declared: Declared,
  given: Readonly<Record<string, unknown>>,
  at: Path,
  unknown: Problem[],
): object {
  const { fields } = declarationOf(declared.prototype);
  const entries = Object.entries(given).flatMap(([name, value]) => {
    const field = fields.get(name);
    if (field) return [[name, wrapped(field.shape, value, [...at, name], unknown)] as const];
    unknown.push({ path: [...at, name], message: unknownName(name, [...fields.keys()]) });
    return [];
  });
  return Object.assign(Object.create(declared.prototype), Object.fromEntries(entries));
}

function wrapped(shape: Shape, value: unknown, at: Path, unknown: Problem[]): unknown {
  if (shape.of) return isRecord(value) ? instanceOf(shape.of, value, at, unknown) : value;
  if (!shape.element) return value;
  const { shape: element, box } = shape.element;
  const boxed = (item: unknown, key: string | number): object =>
    Object.assign(Object.create(box.prototype), { value: wrapped(element, item, [...at, key], unknown) });
  if (shape.schema.type === 'map') {
    return isRecord(value) ? new Map(Object.entries(value).map(([key, item]) => [key, boxed(item, key)])) : value;
  }
  return Array.isArray(value) ? value.map(boxed) : value;
}

function problemsOf(error: ValidationError, at: Path): Problem[] {
  const key = Array.isArray(error.target) ? Number(error.property) : error.property;
  const path = error.target instanceof Element ? at : [...at, key];
  return [
    ...Object.values(error.constraints ?? {}).map((message) => ({ path, message })),
    ...(error.children ?? []).flatMap((child) => problemsOf(child, path)),
  ];
}

/** The rules over several fields, of each object whose fields are right. */
function broken(shape: Shape, given: unknown, at: Path, known: readonly Problem[]): Problem[] {
  const { element, of } = shape;
  if (element) return entriesOf(given).flatMap(([key, item]) => broken(element.shape, item, [...at, key], known));
  if (!of || !isRecord(given)) return [];
  const spoiled = known.some(({ path }) => at.every((step, index) => path[index] === step));
  const own = spoiled ? [] : rulesOf(of).flatMap((rule) => rule(given));
  return [
    ...own.map(({ path, message }) => ({ path: [...at, ...path], message })),
    ...[...declarationOf(of.prototype).fields].flatMap(([name, field]) =>
      broken(field.shape, given[name], [...at, name], known),
    ),
  ];
}

function entriesOf(given: unknown): (readonly [string | number, unknown])[] {
  if (Array.isArray(given)) return [...given.entries()];
  return isRecord(given) ? Object.entries(given) : [];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
