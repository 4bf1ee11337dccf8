import { readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildProvider } from '../../build.mjs';
import type { SchemaFile } from '../../src/schema.ts';

const SCHEMA = new URL('../../schema.json', import.meta.url).pathname;

export const schema = JSON.parse(readFileSync(SCHEMA, 'utf8')) as SchemaFile;

/** The provider as it is shipped, built into a folder of its own. */
export async function builtProvider(): Promise<string> {
  const { outdir } = await buildProvider({
    outdir: await mkdtemp(join(tmpdir(), 'entrepot-provider-')),
    schema: SCHEMA,
  });
  return outdir;
}
