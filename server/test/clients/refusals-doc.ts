import { readFileSync } from 'node:fs';

const PAGE = new URL('../../../docs/refusals.md', import.meta.url);

/** What each client is made to ask for; `docs/refusals.md` shows what it prints then. */
export const SITUATIONS = {
  index: 'nothing of a package is admissible',
  version: 'the version that it wants is not in the index',
  file: 'a file of its lock file is withheld',
  block: 'the package is blocked, with a reason and an address',
} as const;

export type Situation = keyof typeof SITUATIONS;

/** Every client with what it is shown in; a block of the page begins with `text prints <client> <situation>`. */
export const SHOWN = {
  'npm-11': ['index', 'version', 'file', 'block'],
  'pnpm-10': ['index', 'version', 'file', 'block'],
  'yarn-1': ['index', 'version', 'file', 'block'],
  'yarn-4': ['index', 'version', 'file', 'block'],
  bun: ['index', 'version', 'file', 'block'],
  pip: ['index', 'version', 'file', 'block'],
  uv: ['index', 'version', 'file', 'block'],
  cargo: ['index', 'version', 'file', 'block'],
  go: ['index', 'version', 'file', 'block'],
  mvn: ['index', 'file', 'block'],
  gradle: ['index', 'file', 'block'],
  skopeo: ['file', 'block'],
  docker: ['file', 'block'],
  apt: ['file', 'block'],
} as const satisfies Readonly<Record<string, readonly Situation[]>>;

export type Client = keyof typeof SHOWN;

export interface Excerpt {
  readonly client: string;
  readonly situation: string;
  /** Without those that are empty, or `…` for what was left out. */
  readonly lines: readonly string[];
}

/** Every excerpt of the page, in order. */
export function excerpts(page = readFileSync(PAGE, 'utf8')): Excerpt[] {
  return [...page.matchAll(/^```text prints (\S+) (\S+)\n([\s\S]*?)^```$/gm)].map(
    ([, client = '', situation = '', text = '']) => ({
      client,
      situation,
      lines: text.split('\n').filter((line) => !/^\s*(…\s*)?$/.test(line)),
    }),
  );
}

/** What differs from one run, one machine or one upstream to the next, and what it is called instead. */
const VARIES: readonly (readonly [RegExp, string])[] = [
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours
  [/\u001b\[[0-9;?]*[A-Za-z]/g, ''],
  [/\\"/g, '"'],
  [/\s+/g, ' '],
  [/\d{4}-\d\d-\d\d \d\d:\d\d UTC/g, '<time>'],
  [/\d+ (?:minute|hour|day)s? ago|less than a minute ago/g, '<age> ago'],
  [/sha256:[0-9a-f]{64}/g, '<digest>'],
  // The decision names the digest, or the tag that it was asked for by.
  [/(denied: \S+) (?:<digest>|v2) /g, '$1 <release> '],
  // npm takes the id of a decision for a secret.
  [/Decision [0-9a-f*-]{3,}\. /g, ''],
  // Whose word counts, and which is the oldest release, depends on what the upstream says of dates.
  [/was published <age> ago|was first seen <age> ago|has no known time of publication(?: \([^()]*\))?/g, '<dated>'],
  [/(?:Its index dates it|Its author dates it|Its Last-Modified is|It was first seen here on) <time>\. /g, ''],
  [/admits it from <time>|withholds it/g, '<verdict>'],
  [/all \d+ releases of (\S+)/g, 'all <n> releases of $1'],
  [/ are withheld(?:; the first to be admitted)?: (\S+) \S+ <dated>/g, ' are withheld: $1 <version> <dated>'],
  [/(entrepot explain [^\s@]+)@[^\s)"]+/g, '$1@<version>'],
];

/** What was printed, without what varies. `url`: of the server. */
export function normal(text: string, url = 'https://registry.test'): string {
  const here = text.replaceAll(url, 'https://registry.test').replaceAll(new URL(url).host, 'registry.test');
  return VARIES.reduce((told, [what, instead]) => told.replaceAll(what, instead), here);
}
