import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { SETTINGS } from '../app/settings-table.ts';
import { formats } from '../formats/all.ts';
import { formatsPage, policyPage } from './formats-page.ts';
import { kinds } from './kinds.ts';
import { kindPage, settingsPage } from './reference.ts';

/** From `server/src/schema` as from `server/dist/schema`. */
const ROOT = resolve(import.meta.dirname, '../../..');
/** Written by hand, but for a table. */
const POLICY_PAGE = 'docs/policy.md';

/** Every generated file by its path from the root of the repository. */
export function generatedFiles(): ReadonlyMap<string, string> {
  const described = formats.map(({ id, traits }) => ({ id, ...traits }));
  return new Map([
    ['terraform-provider/schema.json', `${JSON.stringify({ version: 1, kinds: kinds() }, null, 2)}\n`],
    ...kinds().map((kind) => [`docs/reference/${kind.kind}.md`, kindPage(kind)] as const),
    ['docs/reference/settings.md', settingsPage(SETTINGS)],
    ['docs/formats.md', formatsPage(described)],
    [POLICY_PAGE, policyPage(readFileSync(resolve(ROOT, POLICY_PAGE), 'utf8'), described)],
  ]);
}

/** `--check` writes nothing and exits 1 where a file differs from what would be written. */
function main(argv: readonly string[]): void {
  const stale = [...generatedFiles()].filter(([path, text]) => current(resolve(ROOT, path)) !== text);
  if (argv.includes('--check')) {
    for (const [path] of stale) console.error(`${path} is not what its declarations make: run npm run generate`);
    if (stale.length > 0) process.exitCode = 1;
    return;
  }
  for (const [path, text] of stale) {
    mkdirSync(dirname(resolve(ROOT, path)), { recursive: true });
    writeFileSync(resolve(ROOT, path), text);
    console.log(`wrote ${relative(process.cwd(), resolve(ROOT, path))}`);
  }
}

function current(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

if (import.meta.main) main(process.argv.slice(2));
