import { printParseErrorCode, visit } from 'jsonc-parser';
import type { LockText } from './lock-text.ts';

export interface Json {
  readonly value: unknown;
  /** Line on which an object or a list of the value begins, from 1. */
  lineOf(value: unknown): number | undefined;
}

interface Dialect {
  /** bun's: comments, and a comma before a closing bracket. */
  readonly loose?: boolean;
  /** Lines before this piece of the file. */
  readonly linesBefore?: number;
}

/** No lock file is nested half as deep. */
const DEEPEST = 200;

type Container = Record<string, unknown> | unknown[];

/** Objects have no prototype, so no key means anything but itself. A key that stands twice is an error, as it hides one value. */
export function readJson(source: LockText, text: string, { loose = false, linesBefore = 0 }: Dialect = {}): Json {
  const lines = new WeakMap<object, number>();
  const open: Container[] = [];
  let key: string | undefined;
  let root: unknown;
  const put = (value: unknown) => {
    const into = open.at(-1);
    if (into === undefined) root = value;
    else if (Array.isArray(into)) into.push(value);
    else if (key !== undefined) into[key] = value;
  };
  const enter = (value: Container, startLine: number) => {
    const line = startLine + 1 + linesBefore;
    if (open.length >= DEEPEST) throw source.wrong('is nested too deeply', line);
    put(value);
    lines.set(value, line);
    open.push(value);
  };
  const leave = () => void open.pop();
  visit(
    text,
    {
      onObjectBegin: (_offset, _length, line) => enter(Object.create(null) as Record<string, unknown>, line),
      onArrayBegin: (_offset, _length, line) => enter([], line),
      onObjectProperty: (property, _offset, _length, line) => {
        const into = open.at(-1) as Record<string, unknown>;
        if (property in into) throw source.wrong(`"${property}" stands there twice`, line + 1 + linesBefore);
        into[property] = undefined;
        key = property;
      },
      onObjectEnd: leave,
      onArrayEnd: leave,
      onLiteralValue: (value) => put(value),
      onError: (code, _offset, _length, line) => {
        throw source.wrong(`is not JSON: ${words(printParseErrorCode(code))}`, line + 1 + linesBefore);
      },
    },
    { disallowComments: !loose, allowTrailingComma: loose },
  );
  return {
    value: root,
    lineOf: (value) => (typeof value === 'object' && value !== null ? lines.get(value) : undefined),
  };
}

const words = (code: string): string => code.replace(/(?<=[a-z])[A-Z]/g, ' $&').toLowerCase();
