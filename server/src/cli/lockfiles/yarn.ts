import { parseSyml } from '@yarnpkg/parsers';
import type { LockText } from './lock-text.ts';
import { digestOf, elsewhere, npmName, registryOf, splitAt } from './npm-names.ts';
import { PinList, type Pins } from './pins.ts';
import { own, type Table, table, text } from './values.ts';
import { linesOfKeys, readYaml } from './yaml.ts';

/** yarn.lock, of yarn 1 (a format of its own) and of yarn 2 and newer (YAML with `__metadata`). */
export function readYarnLock(source: LockText, registries: readonly string[]): Pins {
  const pins = new PinList(source, 'npm', registries);
  if (/^__metadata:/m.test(source.text)) readBerry(source, pins);
  else if (/^# yarn lockfile v1\s*$/m.test(source.text)) readClassic(source, pins);
  else throw source.wrong('has neither "# yarn lockfile v1" nor "__metadata": it is no lock file of yarn');
  return pins.done();
}

function readClassic(source: LockText, pins: PinList): void {
  const lines = linesOfKeys(source.text, 0, (key, line) => {
    throw source.wrong(`${key} stands there twice`, line);
  });
  const entries = source.parsed('a lock file of yarn 1', () => parseSyml(source.text) as Table, lineOfSyntaxError);
  for (const [key, value] of Object.entries(entries)) {
    classicRelease(source, pins, key, table(value), lines.get(key));
  }
}

function classicRelease(source: LockText, pins: PinList, key: string, entry: Table, line: number | undefined): void {
  const [first = ''] = key.split(', ');
  const { name: alias, rest: range } = splitAt(first) ?? { name: first, rest: '' };
  const name = range.startsWith('npm:')
    ? (splitAt(range.slice('npm:'.length))?.name ?? range.slice('npm:'.length))
    : alias;
  const version = text(entry['version']);
  if (version === undefined) throw source.wrong(`${first} has no version`, line);
  const [resolved, sha1] = (text(entry['resolved']) ?? '').split('#');
  const from = addressOf(resolved, range);
  const registry = from === undefined ? undefined : registryOf(name, from);
  if (from !== undefined && registry === undefined) return pins.skip(`${name}@${version}`, elsewhere(from), line);
  const digest = digestOf(entry['integrity']) ?? (/^[0-9a-f]{40}$/.test(sha1 ?? '') ? `sha1:${sha1}` : undefined);
  pins.add({ ...npmName(name), version, line, registry, digest });
}

/** Undefined for what a registry has: a name of a file alone is one of yarn's offline mirror. */
function addressOf(resolved: string | undefined, range: string): string | undefined {
  if (resolved) return /^[^/:]+\.tgz$/.test(resolved) ? undefined : resolved;
  return /[:/]/.test(range) && !range.startsWith('npm:') ? range : undefined;
}

function lineOfSyntaxError(error: unknown): number | undefined {
  const { location } = error as { location?: { start?: { line?: unknown } } };
  const line = location?.start?.line;
  return typeof line === 'number' ? line : undefined;
}

/** Its checksums are of archives that yarn packs anew, so they are no digests of what a registry has. */
function readBerry(source: LockText, pins: PinList): void {
  const [document] = readYaml(source);
  const lines = linesOfKeys(source.text, 0);
  const entries = Object.entries(table(document)).filter(([key]) => key !== '__metadata');
  const asked = askedByWorkspaces(entries);
  for (const [key, value] of entries) {
    const resolution = text(table(value)['resolution']);
    const line = lines.get(key);
    if (resolution === undefined) throw source.wrong(`${key} has no resolution`, line);
    const { name, rest } = splitAt(resolution) ?? { name: resolution, rest: '' };
    const direct = key.split(', ').some((descriptor) => asked.has(descriptor));
    const [reference = '', parameters] = rest.split('::');
    const archive = new URLSearchParams(parameters).get('__archiveUrl') ?? undefined;
    const version = reference.startsWith('npm:') ? reference.slice('npm:'.length) : undefined;
    if (version === undefined) pins.skip(name, reasonOf(rest), line);
    else pins.add({ ...npmName(name), version, line, direct, registry: archiveRegistry(name, archive) });
  }
}

function reasonOf(reference: string): string {
  return reference.startsWith('patch:') ? 'a patch of a release that is listed too' : elsewhere(reference);
}

/** The registry of an archive whose address is not the usual one for its name. */
function archiveRegistry(name: string, archive: string | undefined): string | undefined {
  if (archive === undefined) return undefined;
  return registryOf(name, archive) ?? (URL.canParse(archive) ? new URL(archive).origin : archive);
}

function askedByWorkspaces(entries: readonly (readonly [string, unknown])[]): ReadonlySet<string> {
  const asked = new Set<string>();
  for (const [, value] of entries) {
    const entry = table(value);
    if (!/@workspace:/.test(text(entry['resolution']) ?? '')) continue;
    for (const [name, range] of Object.entries(table(own(entry, 'dependencies'))))
      for (const prefix of ['', 'npm:']) asked.add(`${name}@${prefix}${range}`);
  }
  return asked;
}
