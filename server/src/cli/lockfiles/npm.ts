import { type Json, readJson } from './json.ts';
import type { LockText } from './lock-text.ts';
import { dependenciesOf, digestOf, elsewhere, npmName, registryOf } from './npm-names.ts';
import { PinList, type Pins } from './pins.ts';
import { own, section, type Table, table, text } from './values.ts';

const MODULES = 'node_modules/';

/** package-lock.json and npm-shrinkwrap.json: `lockfileVersion` 1 (nested), 2 (both) and 3 (by folder). */
export function readNpmLock(source: LockText, registries: readonly string[]): Pins {
  const json = readJson(source, source.text);
  const root = table(json.value);
  const pins = new PinList(source, 'npm', registries);
  if (own(root, 'packages') !== undefined) new Folders(source, json, pins).read(section(source, root, 'packages'));
  else if (own(root, 'dependencies') !== undefined || text(root['name']) !== undefined || 'lockfileVersion' in root)
    new Tree(source, json, pins).read(section(source, root, 'dependencies'));
  else throw source.wrong('has neither "packages" nor "dependencies": it is no lock file of npm');
  return pins.done();
}

/** `packages`: keys are folders, the project's own among them. */
class Folders {
  readonly #source: LockText;
  readonly #json: Json;
  readonly #pins: PinList;

  constructor(source: LockText, json: Json, pins: PinList) {
    this.#source = source;
    this.#json = json;
    this.#pins = pins;
  }

  read(packages: Table): void {
    const direct = directFolders(packages);
    for (const [path, value] of Object.entries(packages)) {
      const line = this.#json.lineOf(value);
      const entry = table(value);
      const name = text(entry['name']) ?? nameOfFolder(path);
      if (path === '') continue;
      if (!path.includes(MODULES)) this.#pins.skip(name, 'a folder of this project', line);
      else if (entry['link'] === true) this.#link(packages, entry, name, line);
      else this.#release(entry, name, line, direct.has(path));
    }
  }

  #link(packages: Table, entry: Table, name: string, line: number | undefined): void {
    const target = text(entry['resolved']) ?? '';
    if (own(packages, target) === undefined) this.#pins.skip(name, `a link to ${target}`, line);
  }

  #release(entry: Table, name: string, line: number | undefined, direct: boolean): void {
    const version = text(entry['version']);
    const resolved = text(entry['resolved']);
    const what = version === undefined ? name : `${name}@${version}`;
    if (entry['inBundle'] === true) return this.#pins.skip(what, 'bundled in what depends on it', line);
    if (resolved !== undefined && registryOf(name, resolved) === undefined)
      return this.#pins.skip(what, elsewhere(resolved), line);
    if (version === undefined) throw this.#source.wrong(`${name} has no version`, line);
    const registry = resolved === undefined ? undefined : registryOf(name, resolved);
    this.#pins.add({ ...npmName(name), version, line, direct, registry, digest: digestOf(entry['integrity']) });
  }
}

/** Folders that the project or one of its workspaces asks for by name: the nearest `node_modules` that has it. */
function directFolders(packages: Table): ReadonlySet<string> {
  const direct = new Set<string>();
  for (const [path, value] of Object.entries(packages)) {
    if (path.includes(MODULES)) continue;
    for (const [name] of dependenciesOf(table(value))) {
      const inside = `${path}/${MODULES}${name}`;
      direct.add(own(packages, inside) === undefined ? MODULES + name : inside);
    }
  }
  return direct;
}

function nameOfFolder(path: string): string {
  const at = path.lastIndexOf(MODULES);
  return at < 0 ? path : path.slice(at + MODULES.length);
}

/** `dependencies` within `dependencies`, of npm 6 and older. What the project itself asks for stands in package.json only. */
class Tree {
  readonly #source: LockText;
  readonly #json: Json;
  readonly #pins: PinList;

  constructor(source: LockText, json: Json, pins: PinList) {
    this.#source = source;
    this.#json = json;
    this.#pins = pins;
  }

  read(dependencies: Table): void {
    for (const [name, value] of Object.entries(dependencies)) {
      const entry = table(value);
      this.#release(entry, name, this.#json.lineOf(value));
      this.read(section(this.#source, entry, 'dependencies', this.#json.lineOf(value)));
    }
  }

  #release(entry: Table, alias: string, line: number | undefined): void {
    const stated = text(entry['version']);
    if (stated === undefined) throw this.#source.wrong(`${alias} has no version`, line);
    const [, real, version] = /^npm:(.[^@]*)@(.+)$/.exec(stated) ?? [undefined, alias, stated];
    const name = real ?? alias;
    const resolved = text(entry['resolved']);
    if (entry['bundled'] === true) return this.#pins.skip(`${name}@${version}`, 'bundled in what depends on it', line);
    if (/[:/]/.test(version ?? '')) return this.#pins.skip(alias, elsewhere(stated), line);
    const registry = resolved === undefined ? undefined : registryOf(name, resolved);
    if (resolved !== undefined && registry === undefined) return this.#pins.skip(alias, elsewhere(resolved), line);
    const digest = digestOf(entry['integrity']);
    this.#pins.add({ ...npmName(name), version: version ?? stated, line, registry, digest });
  }
}
