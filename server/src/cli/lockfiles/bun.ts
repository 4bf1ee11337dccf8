import { type Json, readJson } from './json.ts';
import type { LockText } from './lock-text.ts';
import { dependenciesOf, digestOf, elsewhere, npmName, registryOf, splitAt } from './npm-names.ts';
import { PinList, type Pins } from './pins.ts';
import { list, own, section, type Table, table, text } from './values.ts';

/** bun.lock: JSON with comments and trailing commas; the package of each key is a list that begins with its id. */
export function readBunLock(source: LockText, registries: readonly string[]): Pins {
  const json = readJson(source, source.text, { loose: true });
  const root = table(json.value);
  const version = root['lockfileVersion'];
  if (typeof version !== 'number') throw source.wrong('has no lockfileVersion: it is no lock file of bun');
  const pins = new PinList(source, 'npm', registries);
  const direct = directKeys(root);
  for (const [key, value] of Object.entries(section(source, root, 'packages')))
    release(source, json, pins, key, value, direct.has(key));
  return pins.done();
}

function release(source: LockText, json: Json, pins: PinList, key: string, value: unknown, direct: boolean): void {
  const line = json.lineOf(value);
  const [id, address, , integrity] = list(value);
  const { name, rest } = splitAt(text(id) ?? '') ?? {};
  if (name === undefined || rest === undefined) throw source.wrong(`${key} is no package and version`, line);
  if (/[:/]/.test(rest)) return pins.skip(name, elsewhere(rest), line);
  const from = text(address);
  const registry = from === undefined ? undefined : (registryOf(name, from) ?? from);
  pins.add({ ...npmName(name), version: rest, line, direct, registry, digest: digestOf(integrity) });
}

/** A name that a workspace asks for is its own `<workspace>/<name>`, or else the one at the top. */
function directKeys(root: Table): ReadonlySet<string> {
  const packages = table(own(root, 'packages'));
  const keys = new Set<string>();
  for (const value of Object.values(table(own(root, 'workspaces')))) {
    const workspace = table(value);
    for (const [name] of dependenciesOf(workspace)) {
      const inside = `${text(workspace['name']) ?? ''}/${name}`;
      keys.add(own(packages, inside) === undefined ? name : inside);
    }
  }
  return keys;
}
