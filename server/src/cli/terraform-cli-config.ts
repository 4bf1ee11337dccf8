import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What the Terraform CLI's own configuration says about where one provider comes from. */
export interface CliConfiguration {
  /** The file that says it. */
  readonly file: string;
  /** Whether it says anything: without it Terraform looks at its local folders by itself. */
  readonly installation: boolean;
  /** The folder that may hold the provider. */
  readonly mirror?: string;
  /** Other methods that Terraform asks for the provider too: `direct`, `network_mirror`. */
  readonly alsoAsked: readonly string[];
  /** The folder of a development override of the provider. */
  readonly override?: string;
}

/** Reads what Terraform itself would read, in its order. `source` is a whole address: host, namespace, type. */
export async function readCliConfiguration(
  home: string,
  env: Readonly<Record<string, string | undefined>>,
  source: string,
): Promise<CliConfiguration> {
  for (const file of await filesOf(home, env)) {
    const text = await readFile(file, 'utf8').catch(() => '');
    const block = (file.endsWith('.json') ? blockOfJson(text) : parse(text)).find(
      (each) => each.name === 'provider_installation',
    );
    if (block) return judged(file, block, source);
  }
  return { file: '', installation: false, alsoAsked: [] };
}

/** An environment variable replaces the file in the home folder and those beside the plugins. */
async function filesOf(home: string, env: Readonly<Record<string, string | undefined>>): Promise<readonly string[]> {
  const named = env.TF_CLI_CONFIG_FILE || env.TERRAFORM_CONFIG;
  if (named) return [named];
  const folder = join(home, '.terraform.d');
  const names = await readdir(folder).catch(() => []);
  const beside = names.filter((name) => /\.tfrc(\.json)?$/.test(name)).sort();
  return [join(home, '.terraformrc'), ...beside.map((name) => join(folder, name))];
}

function judged(file: string, installation: Block, source: string): CliConfiguration {
  const allowed = installation.blocks.filter((method) => covers(method, source));
  const mirror = allowed.find(({ name }) => name === 'filesystem_mirror')?.attributes.get('path');
  const override = installation.blocks
    .filter(({ name }) => name === 'dev_overrides')
    .flatMap(({ attributes }) => [...attributes])
    .find(([key]) => matches(key, source))?.[1];
  return {
    file,
    installation: true,
    ...(typeof mirror === 'string' && { mirror }),
    ...(typeof override === 'string' && { override }),
    alsoAsked: allowed.map(({ name }) => name).filter((name) => name === 'direct' || name === 'network_mirror'),
  };
}

function covers({ attributes }: Block, source: string): boolean {
  const [include, exclude] = [attributes.get('include'), attributes.get('exclude')];
  const any = (patterns: Attribute): boolean =>
    Array.isArray(patterns) && patterns.some((pattern) => matches(pattern, source));
  return (include === undefined || any(include)) && !any(exclude);
}

/** Patterns leave out the host for Terraform's own registry, and have `*` for any part. */
function matches(pattern: string, source: string): boolean {
  const parts = pattern.split('/');
  const whole = parts.length === 3 ? parts : ['registry.terraform.io', ...parts];
  const wanted = source.split('/');
  return whole.length === wanted.length && whole.every((part, index) => part === '*' || part === wanted[index]);
}

type Attribute = string | readonly string[] | undefined;

interface Block {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, Attribute>;
  readonly blocks: readonly Block[];
}

const TOKEN = /\s+|#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\/|("(?:[^"\\]|\\.)*"|[\w.-]+|[={}[\],:])|./g;

/** As much of HCL as the CLI configuration uses: blocks, and attributes that are text, words or lists of text. */
function parse(text: string): readonly Block[] {
  const tokens = [...text.matchAll(TOKEN)].flatMap(([, token]) => (token === undefined ? [] : [token]));
  return body(tokens).blocks;
}

/** Takes its tokens, and the brace that ends it, from the front of `tokens`. */
function body(tokens: string[], name = ''): Block {
  const attributes = new Map<string, Attribute>();
  const blocks: Block[] = [];
  for (let key = tokens.shift(); key !== undefined && key !== '}'; key = tokens.shift()) {
    while (tokens[0]?.startsWith('"')) tokens.shift();
    if (tokens[0] === '=' || tokens[0] === ':') {
      tokens.shift();
      attributes.set(unquoted(key), value(tokens));
    } else if (tokens[0] === '{') {
      tokens.shift();
      blocks.push(body(tokens, unquoted(key)));
    }
  }
  return { name, attributes, blocks };
}

function value(tokens: string[]): Attribute {
  const first = tokens.shift() ?? '';
  if (first === '{') return void body(tokens);
  if (first !== '[') return unquoted(first);
  const end = tokens.indexOf(']');
  return tokens
    .splice(0, end + 1)
    .filter((token) => token.startsWith('"'))
    .map(unquoted);
}

function unquoted(token: string): string {
  return token.startsWith('"') ? token.slice(1, -1).replace(/\\(.)/g, '$1') : token;
}

function blockOfJson(text: string): readonly Block[] {
  try {
    return blocksOf(JSON.parse(text));
  } catch {
    return [];
  }
}

/** In JSON a block is an object, or a list of objects when there are several of its name. */
function blocksOf(json: Readonly<Record<string, unknown>>): readonly Block[] {
  return Object.entries(json).flatMap(([name, held]) =>
    [held].flat().flatMap((each) => {
      if (typeof each !== 'object' || each === null) return [];
      const entries = Object.entries(each).filter(([, own]) => typeof own === 'string' || isTexts(own));
      return [
        {
          name,
          attributes: new Map(entries as [string, Attribute][]),
          blocks: blocksOf(each as Record<string, unknown>),
        },
      ];
    }),
  );
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}
