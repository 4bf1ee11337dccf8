import type { LockText } from './lock-text.ts';
import { dependenciesOf, digestOf, elsewhere, npmName, registryOf, splitAt } from './npm-names.ts';
import { PinList, type Pins } from './pins.ts';
import { own, section, type Table, table, text } from './values.ts';
import { linesOfKeys, readYaml } from './yaml.ts';

/** pnpm-lock.yaml of `lockfileVersion` 5 (`/name/1.0.0_peers`), 6 (`/name@1.0.0(peers)`) and 9 (`name@1.0.0`). */
export function readPnpmLock(source: LockText, registries: readonly string[]): Pins {
  const documents = readYaml(source).map(table);
  const lines = linesOfKeys(source.text, 2);
  const pins = new PinList(source, 'npm', registries);
  let known = false;
  for (const document of documents) {
    const version = Number.parseFloat(text(document['lockfileVersion']) ?? '');
    if (Number.isNaN(version)) continue;
    if (version < 5 || version >= 10) throw source.wrong(`lockfileVersion ${version} is not known here; 5 to 9 are`);
    known = true;
    const spelling = version < 6 ? slashed : at;
    const direct = directKeys(document, spelling);
    for (const [key, value] of Object.entries(section(source, document, 'packages')))
      release({ source, pins, spelling, key, entry: table(value), line: lines.get(key), direct: direct.has(key) });
    for (const [name, folder] of links(document)) pins.skip(name, `a link to ${folder}`);
  }
  if (!known) throw source.wrong('has no lockfileVersion: it is no lock file of pnpm');
  return pins.done();
}

interface Locked {
  readonly source: LockText;
  readonly pins: PinList;
  readonly spelling: Spelling;
  readonly key: string;
  readonly entry: Table;
  readonly line: number | undefined;
  readonly direct: boolean;
}

function release({ source, pins, spelling, key, entry, line, direct }: Locked): void {
  if (own(entry, 'resolution') === undefined) throw source.wrong(`${key} has no resolution`, line);
  const resolution = table(entry['resolution']);
  const tarball = text(resolution['tarball']);
  const { name, version } = spelling(key) ?? {};
  const what = text(entry['name']) ?? name ?? key;
  const type = text(resolution['type']);
  if (type !== undefined) return pins.skip(what, NOT_A_RELEASE[type] ?? `of the type ${type}`, line);
  const registry = tarball === undefined ? text(resolution['registry']) : registryOf(what, tarball);
  if (tarball !== undefined && registry === undefined) return pins.skip(what, elsewhere(tarball), line);
  if (name === undefined || version === undefined) {
    if (resolution['integrity'] === undefined) throw source.wrong(`${key} is no package and version`, line);
    return pins.skip(what, `from another registry, ${key.split('/')[0]}`, line);
  }
  pins.add({ ...npmName(name), version, line, direct, registry, digest: digestOf(resolution['integrity']) });
}

const NOT_A_RELEASE: Readonly<Record<string, string | undefined>> = { git: 'from Git', directory: 'a file or folder' };

interface Release {
  readonly name: string;
  readonly version: string;
}

/** Undefined for what does not come from the usual registry. */
type Spelling = (key: string) => Release | undefined;

const slashed: Spelling = (key) => {
  const [empty, ...parts] = key.split('/');
  const scoped = parts[0]?.startsWith('@');
  const name = scoped ? `${parts[0]}/${parts[1]}` : parts[0];
  const [version] = (parts[scoped ? 2 : 1] ?? '').split('_');
  return empty === '' && name && version ? { name, version } : undefined;
};

const at: Spelling = (key) => {
  const [bare = ''] = key.replace(/^\//, '').split('(');
  const { name, rest } = splitAt(bare) ?? {};
  return name === undefined || rest === undefined || /[:/]/.test(bare.slice(name.length))
    ? undefined
    : { name, version: rest };
};

/** Keys of `packages` that a project of the workspace asks for. */
function directKeys(document: Table, spelling: Spelling): ReadonlySet<string> {
  const packages = table(own(document, 'packages'));
  const keys = new Set<string>();
  for (const [name, reference] of references(document)) {
    const [bare = ''] = reference.split('(');
    const spelt = spelling === slashed ? [`/${name}/${reference}`] : [`/${name}@${reference}`, `${name}@${bare}`];
    const key = [reference, bare, ...spelt].find((candidate) => own(packages, candidate) !== undefined);
    if (key !== undefined) keys.add(key);
  }
  return keys;
}

function* links(document: Table): Iterable<[name: string, folder: string]> {
  for (const [name, reference] of references(document))
    if (reference.startsWith('link:')) yield [name, reference.slice('link:'.length)];
}

function* references(document: Table): Iterable<[name: string, reference: string]> {
  const importers = own(document, 'importers');
  const projects = importers === undefined ? [document] : Object.values(table(importers));
  for (const project of projects)
    for (const [name, value] of dependenciesOf(table(project))) {
      const reference = text(value) ?? text(table(value)['version']);
      if (reference !== undefined) yield [name, reference];
    }
}
