import { readFileSync } from 'node:fs';
import type { KindSchema, SchemaFile } from '../../src/schema.ts';

/** A schema with one kind, `sample`, that has a field of every type. */
const sampleSchema = JSON.parse(
  readFileSync(new URL('../fixtures/schema.json', import.meta.url), 'utf8'),
) as SchemaFile;

export const sample = sampleSchema.kinds[0] as KindSchema;
