import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { unknownName } from '../contract/index.ts';
import { SETTINGS } from './settings-table.ts';

/** A setting as it was written, and where. */
export interface Given {
  readonly value: string;
  /** `flag --listen`, `environment ENTREPOT_LISTEN`, `/etc/entrepot.yaml:3: listen` */
  readonly origin: string;
  /** The folder that relative paths in it start from. */
  readonly folder: string;
}

interface SettingsFile {
  readonly path: string | undefined;
  readonly given: readonly (readonly [string, Given])[];
}

interface Reading {
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
  readonly path: string;
  readonly given: Map<string, Given>;
  readonly problems: string[];
}

const DEFAULT_FILE = 'entrepot.yaml';

/** YAML or JSON. A file that somebody named must be there; `./entrepot.yaml` may be missing. */
export function readSettingsFile(
  cwd: string,
  named: { readonly path: string; readonly origin: string } | undefined,
  problems: string[],
): SettingsFile {
  const path = resolve(cwd, named?.path ?? DEFAULT_FILE);
  if (!named && !existsSync(path)) return { path: undefined, given: [] };
  const text = textOf(path, named?.origin, problems);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  for (const { pos, message } of document.errors) problems.push(`${path}:${lines.linePos(pos[0]).line}: ${message}`);
  const reading: Reading = { document, lines, path, given: new Map(), problems };
  if (document.errors.length === 0 && document.contents) readMap(reading, document.contents, '');
  return { path, given: [...reading.given] };
}

function textOf(path: string, origin: string | undefined, problems: string[]): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why =
      code === 'ENOENT'
        ? 'there is no such file'
        : code === 'EISDIR'
          ? 'it is a folder'
          : `it cannot be read (${code})`;
    problems.push(`${path}: ${why}${origin ? ` (named by ${origin})` : ''}`);
    return '';
  }
}

/** Nested maps and dotted keys mean the same: `log: { level: debug }`, `log.level: debug`. */
function readMap(reading: Reading, node: Node, prefix: string): void {
  if (!isMap(node)) {
    const what = prefix
      ? `${prefix.slice(0, -1)} must be a map of settings`
      : 'must be a map of settings, such as listen: 127.0.0.1:8080';
    reading.problems.push(`${at(reading, node)}: ${what}`);
    return;
  }
  for (const { key, value } of node.items) {
    const name = `${prefix}${isScalar(key) ? String(key.value) : '?'}`;
    readSetting(reading, name, key as Node, resolved(reading, value as Node | null));
  }
}

function readSetting(reading: Reading, key: string, place: Node, node: Node | null | undefined): void {
  const setting = SETTINGS.find((each) => each.key === key);
  if (!setting && SETTINGS.some((each) => each.key.startsWith(`${key}.`)) && node)
    return readMap(reading, node, `${key}.`);
  const where = `${at(reading, place)}: ${key}`;
  if (!setting) {
    reading.problems.push(
      `${where} ${unknownName(
        key,
        SETTINGS.map((each) => each.key),
      )}`,
    );
    return;
  }
  const value = textValue(reading, node, setting.list === true);
  if (value === undefined) {
    reading.problems.push(`${where} must be ${setting.list ? 'a list of texts' : 'one value'}`);
  } else if (reading.given.has(key)) {
    reading.problems.push(`${where} is there twice`);
  } else {
    reading.given.set(key, { value, origin: where, folder: dirname(reading.path) });
  }
}

function textValue(reading: Reading, node: Node | null | undefined, list: boolean): string | undefined {
  if (isScalar(node) && node.value !== null && node.value !== undefined) {
    const text = String(node.value);
    return text === '' ? undefined : text;
  }
  if (!list || !isSeq(node)) return undefined;
  const items = node.items.map((item) => textValue(reading, resolved(reading, item as Node), false));
  return items.includes(undefined) ? undefined : items.join(',');
}

function resolved(reading: Reading, node: Node | null): Node | null | undefined {
  return isAlias(node) ? node.resolve(reading.document) : node;
}

function at({ path, lines }: Reading, node: Node): string {
  return `${path}:${lines.linePos(node.range?.[0] ?? 0).line}`;
}
