import { readFileSync } from 'node:fs';
import { CommandError } from './client.ts';

interface Schema {
  readonly kinds: readonly { readonly kind: string; readonly collection: string }[];
}

/** The collection that a kind, written as one or many (`remote`, `remotes`), has in the management API. */
export function collectionOf(given: string): string {
  const file = new URL('../../../terraform-provider/schema.json', import.meta.url);
  const { kinds } = JSON.parse(readFileSync(file, 'utf8')) as Schema;
  const found = kinds.find(({ kind, collection }) => given === kind || given === collection);
  if (found) return found.collection;
  throw new CommandError(
    `there is no kind of resource called ${given}; known are ${kinds.map(({ kind }) => kind).join(', ')}`,
  );
}
