import { FAILSAFE_SCHEMA, loadAll, YAMLException } from 'js-yaml';
import type { LockText } from './lock-text.ts';

/**
 * The documents of a YAML file. Every scalar is text as it stands: `1.10` is a version, no number. No client writes anchors, with
 * which a short file can say endlessly much.
 */
export function readYaml(source: LockText): readonly unknown[] {
  const listener = (_event: string, { anchor, line }: { readonly anchor?: string | null; readonly line: number }) => {
    if (anchor != null) throw source.wrong('has an anchor, which no client writes', line + 1);
  };
  return source.parsed(
    'YAML',
    () => loadAll(source.text, undefined, { schema: FAILSAFE_SCHEMA, listener }),
    lineOfException,
  );
}

function lineOfException(error: unknown): number | undefined {
  return error instanceof YAMLException ? error.mark.line + 1 : undefined;
}

const KEY = /^(?:"((?:[^"\\]|\\.)*)"|'((?:[^']|'')*)'|([^\s#"'].*?)):(?:\s|$)|^([^\s#].*):$/;

/** Where the keys that are indented by `indent` spaces stand; the first place of each. */
export function linesOfKeys(
  text: string,
  indent: number,
  repeated?: (key: string, line: number) => void,
): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  const before = ' '.repeat(indent);
  for (const [index, line] of text.split('\n').entries()) {
    if (!line.startsWith(before) || line[indent] === ' ') continue;
    const [, double, single, plain, several] = KEY.exec(line.slice(indent)) ?? [];
    const key =
      double?.replace(/\\(.)/g, '$1') ?? single?.replaceAll("''", "'") ?? plain ?? several?.replaceAll('"', '');
    if (key === undefined) continue;
    if (lines.has(key)) repeated?.(key, index + 1);
    else lines.set(key, index + 1);
  }
  return lines;
}
