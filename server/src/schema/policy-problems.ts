import { type Problem, suggestion } from '../contract/index.ts';
import { parseClaim } from '../engine/virtual/claim-pattern.ts';
import { formats } from '../formats/all.ts';
import { type PackagePattern, parsePattern, type VersionOrders } from '../policy/package-pattern.ts';
import { isRecord } from './spec.ts';

type Path = Problem['path'];

/** Types of package URLs of the installed formats, with the order of their versions. */
const VERSION_ORDERS: VersionOrders = new Map(formats.map(({ traits, versions }) => [traits.purl, versions]));

/** Throws `RangeError` with what is wrong, to follow the name of the field. */
export function packagePattern(text: string): PackagePattern {
  return parsePattern(text, VERSION_ORDERS);
}

/** What only the installed formats can say of rules; nothing of fields that are known to be wrong already. */
export function policyProblems(kind: string, body: unknown, known: readonly Problem[]): Problem[] {
  if (!isRecord(body)) return [];
  const right = (name: string): unknown => (known.some(({ path }) => path[0] === name) ? undefined : body[name]);
  switch (kind) {
    case 'block':
    case 'exemption':
      return listed(right('packages')).flatMap((text, at) => patternProblems(text, ['packages', at]));
    case 'cooldown':
      return [...formatKeys(right('formats')), ...packageKeys(right('packages'))];
    case 'virtual':
    case 'remote':
      return listed(right('claims')).flatMap((text, at) => claimProblems(text, body['format'], ['claims', at]));
    case 'freeze':
      return listed(right('formats')).flatMap((id, at) => formatProblems(id, ['formats', at]));
    default:
      return [];
  }
}

function formatKeys(value: unknown): Problem[] {
  return isRecord(value) ? Object.keys(value).flatMap((id) => formatProblems(id, ['formats', id])) : [];
}

function packageKeys(value: unknown): Problem[] {
  if (!isRecord(value)) return [];
  const seen = new Map<string, string>();
  return Object.keys(value).flatMap((text): Problem[] => {
    const path = ['packages', text];
    const problems = patternProblems(text, path);
    if (problems.length > 0) return problems;
    const meaning = JSON.stringify(packagePattern(text));
    const other = seen.get(meaning);
    seen.set(meaning, text);
    return other === undefined ? [] : [{ path, message: `means the same packages as ${JSON.stringify(other)}` }];
  });
}

/** Of a format that is not known, `format` is what is wrong. */
function claimProblems(text: string, id: unknown, path: Path): Problem[] {
  const format = formats.find((each) => each.id === id);
  return format ? inRange(path, () => parseClaim(text, format.traits.purl)) : [];
}

function patternProblems(text: string, path: Path): Problem[] {
  return inRange(path, () => packagePattern(text));
}

function inRange(path: Path, parse: () => unknown): Problem[] {
  try {
    parse();
    return [];
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    return [{ path, message: cause.message }];
  }
}

function formatProblems(id: string, path: Path): Problem[] {
  const format = formats.find((each) => each.id === id);
  if (!format) {
    const ids = formats.map((each) => each.id);
    const near = suggestion(id, ids);
    const advice = near === undefined ? `known are ${ids.join(', ')}` : `did you mean ${near}?`;
    return [{ path, message: `names ${JSON.stringify(id)}, which is no format: ${advice}` }];
  }
  if (format.traits.kinds?.includes('remote') ?? true) return [];
  return [{ path, message: `names ${id}, which only holds what is published here, and that is never held back` }];
}

function listed(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
