import type { LockText } from './lock-text.ts';
import { PinList, type Pins } from './pins.ts';
import { normalName, normalVersion, onlyDigest } from './python-names.ts';

/** requirements.txt as pip-compile, `uv pip compile` and `pip freeze` write it. */
export function readRequirements(source: LockText): Pins {
  const pins = new PinList(source, 'pypi');
  for (const { line, words } of logicalLines(source)) {
    const reason = notARequirement(words);
    if (reason === undefined) requirement(source, pins, words, line);
    else if (reason !== '') pins.skip(words, reason, line);
  }
  return pins.done();
}

interface LogicalLine {
  /** Of its beginning, from 1. */
  readonly line: number;
  readonly words: string;
}

/** Without comments; lines that end in `\` go on in the next. */
function* logicalLines({ text }: LockText): Iterable<LogicalLine> {
  let parts: string[] = [];
  let begun = 0;
  const lines = text.split(/\r\n?|\n/);
  for (const [index, raw] of lines.entries()) {
    if (parts.length === 0) begun = index + 1;
    const comment = /^\s*#/.test(raw);
    const goesOn = !comment && raw.endsWith('\\');
    parts.push(comment ? '' : goesOn ? raw.slice(0, -1) : raw);
    if (goesOn && index < lines.length - 1) continue;
    const words = parts
      .join('')
      .replace(/(?:^|\s)#.*$/, '')
      .trim();
    if (words !== '') yield { line: begun, words };
    parts = [];
  }
}

/** Why nothing is asked about it; empty for an option that names no package. */
function notARequirement(words: string): string | undefined {
  if (/^(?:-e|--editable)\b/.test(words)) return 'installed from where it is';
  if (/^(?:-r|--requirement|-c|--constraint)\b/.test(words)) return 'another file: check it by itself';
  if (words.startsWith('-')) return '';
  if (/^(?:\.{1,2}(?:[/\\]|$)|\/|file:)/.test(words)) return 'a file or folder';
  if (/^(?:git|hg|svn|bzr)\+/.test(words)) return 'from a version control system';
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(words)) return 'from an address of its own';
  return undefined;
}

/** PEP 508, as far as a pin needs it. */
const NAME = /^([A-Z0-9](?:[A-Z0-9._-]*[A-Z0-9])?)\s*(?:\[[^\]]*\])?\s*/i;

function requirement(source: LockText, pins: PinList, words: string, line: number): void {
  const [whole = '', name] = NAME.exec(words) ?? [];
  if (name === undefined) throw source.wrong(`${JSON.stringify(words.slice(0, 80))} is no requirement`, line);
  const rest = words.slice(whole.length);
  if (rest.startsWith('@'))
    return pins.skip(name, `from an address of its own, ${rest.slice(1).trim().split(/\s/)[0]}`, line);
  if (rest !== '' && !/^[(=<>!~;-]/.test(rest))
    throw source.wrong(`${JSON.stringify(words.slice(0, 80))} is no requirement`, line);
  const [constraint = ''] = rest.split(/;|\s--/);
  const [, version] = /^\(?\s*={2,3}\s*([^\s,*()]+)\s*\)?\s*$/.exec(constraint) ?? [];
  if (version === undefined) return pins.skip(name, 'not held to one version', line);
  const digest = onlyDigest([...rest.matchAll(/--hash[= ](\S+)/g)].map(([, hash]) => hash));
  pins.add({ name: normalName(name), version: normalVersion(version), line, digest });
}
