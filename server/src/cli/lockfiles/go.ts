import type { LockText } from './lock-text.ts';
import { type Found, PinList, type Pins } from './pins.ts';

/**
 * go.sum and go.work.sum: a module's files, or its go.mod alone where the go command reads only what it requires. A version
 * that is withheld has no go.mod either, so both are pins.
 */
export function readGoSum(source: LockText): Pins {
  const pins = new PinList(source, 'golang');
  for (const [index, raw] of source.text.split('\n').entries()) {
    if (raw.trim() === '') continue;
    const line = index + 1;
    const [module, stated, sum, more] = raw.trim().split(/\s+/);
    if (module === undefined || stated === undefined || !sum?.startsWith('h1:') || more !== undefined)
      throw source.wrong(
        `is not a go.sum: ${JSON.stringify(raw.slice(0, 80))} is not a module, a version and a hash`,
        line,
      );
    const only = stated.endsWith('/go.mod') ? ('go.mod' as const) : undefined;
    const version = only === undefined ? stated : stated.slice(0, -'/go.mod'.length);
    pins.add({ ...moduleName(module), version, line, only, digest: only === undefined ? sum : undefined });
  }
  return pins.done();
}

/** go.mod: what is required, after replacements. Its indirect requirements are there too since Go 1.17. */
export function readGoMod(source: LockText): Pins {
  const pins = new PinList(source, 'golang');
  const directives = [...directivesOf(source)];
  if (!directives.some(({ verb }) => verb === 'module')) throw source.wrong('names no module: it is no go.mod');
  const replaced = new Map(directives.filter(({ verb }) => verb === 'replace').map(replacementOf));
  for (const { verb, words, line, comment } of directives) {
    if (verb !== 'require') continue;
    const [module, version, more] = words;
    if (module === undefined || version === undefined || more !== undefined)
      throw source.wrong('a requirement is a module and a version', line);
    const by = replaced.get(`${module} ${version}`) ?? replaced.get(module) ?? [module, version];
    if (by[1] === undefined) pins.skip(`${module}@${version}`, `replaced by the folder ${by[0]}`, line);
    else pins.add({ ...moduleName(by[0] ?? module), version: by[1], line, direct: !/^\s*indirect\b/.test(comment) });
  }
  return pins.done();
}

interface Directive {
  readonly verb: string;
  readonly words: readonly string[];
  readonly comment: string;
  readonly line: number;
}

function* directivesOf(source: LockText): Iterable<Directive> {
  let block: string | undefined;
  for (const [index, raw] of source.text.split('\n').entries()) {
    const { words, comment } = wordsOf(raw);
    const line = index + 1;
    if (words.length === 0) continue;
    if (block === undefined && words.at(-1) === '(') block = words[0];
    else if (block !== undefined && words[0] === ')') block = undefined;
    else if (block !== undefined) yield { verb: block, words, comment, line };
    else yield { verb: words[0] ?? '', words: words.slice(1), comment, line };
  }
  if (block !== undefined) throw source.wrong(`ends within ${block} ( … )`);
}

function wordsOf(raw: string): { readonly words: readonly string[]; readonly comment: string } {
  const at = raw.search(/(?:^|\s)\/\//);
  const bare = at < 0 ? raw : raw.slice(0, at);
  const comment = at < 0 ? '' : raw.slice(raw.indexOf('//', at) + 2);
  const words = [...bare.matchAll(/"([^"]*)"|`([^`]*)`|[^\s"`]+/g)].map(([word, quoted, raw]) => quoted ?? raw ?? word);
  return { words, comment };
}

/** `replace a [v1] => b v2` or `=> ./folder`, which has no version. */
function replacementOf({ words }: Directive): [replaced: string, by: readonly (string | undefined)[]] {
  const arrow = words.indexOf('=>');
  return [words.slice(0, arrow).join(' '), words.slice(arrow + 1)];
}

function moduleName(module: string): Pick<Found, 'namespace' | 'name'> {
  const slash = module.lastIndexOf('/');
  return slash < 0 ? { name: module } : { namespace: module.slice(0, slash), name: module.slice(slash + 1) };
}
