import { readJson } from './json.ts';
import type { LockText } from './lock-text.ts';
import { PinList, type Pins } from './pins.ts';
import { list, table, text } from './values.ts';

/** What `mvn dependency:tree` prints or writes (`-DoutputFile`, `-DoutputType=json`), of one module or of many after each other. */
export function readMavenTree(source: LockText): Pins {
  const nodes = source.text.trimStart().startsWith('{') ? jsonNodes(source) : textNodes(source);
  const all = [...nodes];
  const modules = new Set(all.filter(({ depth }) => depth === 0).map(nameOf));
  if (modules.size === 0) throw source.wrong('has no Maven tree: mvn dependency:tree writes one');
  const pins = new PinList(source, 'maven');
  for (const node of all.filter(({ depth }) => depth > 0)) {
    const { group, artifact, version, scope, line, depth, omitted } = node;
    const what = `${group}:${artifact}:${version}`;
    if (modules.has(nameOf(node))) pins.skip(what, 'a module of this build', line);
    else if (scope === 'system') pins.skip(what, 'a file on this machine', line);
    else if (omitted?.startsWith('omitted for conflict')) pins.skip(what, omitted, line);
    else pins.add({ namespace: group, name: artifact, version, line, direct: depth === 1 });
  }
  return pins.done();
}

interface Node {
  readonly group: string;
  readonly artifact: string;
  readonly version: string;
  readonly scope: string | undefined;
  /** 0: the module itself. */
  readonly depth: number;
  readonly line: number | undefined;
  /** As `-Dverbose` says: `omitted for conflict with 2.15.0`. */
  readonly omitted?: string | undefined;
}

const nameOf = ({ group, artifact, version }: Node): string => `${group}:${artifact}:${version}`;

/** The log's own lines are passed over; what has the branches of a tree must be a node of it. */
function* textNodes(source: LockText): Iterable<Node> {
  for (const [index, raw] of source.text.split(/\r?\n/).entries()) {
    const content = raw.replace(/^\[INFO\] /, '');
    const [branches = ''] = /^(?:\| {2}| {3})*(?:[+\\]- )?/.exec(content) ?? [];
    const bare = content.slice(branches.length);
    const node = nodeOf(bare, branches.length / 3, index + 1);
    if (node !== undefined) yield node;
    else if (/[+\\]- $/.test(branches))
      throw source.wrong(`${JSON.stringify(bare.slice(0, 80))} is no artifact`, index + 1);
  }
}

/** `g:a:type:version` of a module; `g:a:type[:classifier]:version:scope` of what it depends on, with remarks after it. */
function nodeOf(bare: string, depth: number, line: number): Node | undefined {
  const [, coordinates = '', remark] = /^\(?([^\s:()]+(?::[^\s:()]+){3,5})(?:[ )](.*))?$/.exec(bare) ?? [];
  const parts = coordinates.split(':');
  const scope = depth === 0 ? undefined : parts.pop();
  const [group, artifact] = parts;
  const version = parts.at(-1);
  if (group === undefined || artifact === undefined || version === undefined || parts.length < 4) return undefined;
  if (depth === 0 && remark !== undefined) return undefined;
  const [omitted] = /omitted for [^)]*/.exec(remark ?? '') ?? [];
  return { group, artifact, version, scope, depth, line, omitted };
}

/** Several modules are several documents, one after the other. */
function* jsonNodes(source: LockText): Iterable<Node> {
  let linesBefore = 0;
  for (const piece of source.text.split(/(?<=^\})(?=\s*^\{)/m)) {
    const json = readJson(source, piece, { linesBefore });
    const open: { readonly value: unknown; readonly depth: number }[] = [{ value: json.value, depth: 0 }];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { value, depth } = next;
      const line = json.lineOf(value);
      const { groupId, artifactId, version, scope, children } = table(value);
      const [group, artifact, stated] = [text(groupId), text(artifactId), text(version)];
      if (group === undefined || artifact === undefined || stated === undefined)
        throw source.wrong('an artifact has groupId, artifactId and version', line);
      yield { group, artifact, version: stated, scope: text(scope), depth, line };
      if (children !== undefined && !Array.isArray(children)) throw source.wrong('children are a list', line);
      for (const child of list(children).toReversed()) open.push({ value: child, depth: depth + 1 });
    }
    linesBefore += piece.split('\n').length - 1;
  }
}
