import { migrations } from './database.ts';

/** Names of the migrations of this program, in order. */
export const schemaNames: readonly string[] = migrations.map(({ name }) => name);
