import type { FaultCode } from '../engine/fault.ts';

/** One call of the management API. The document of `openapi.ts` and the page at `/docs` are made from these. */
export interface Operation {
  readonly id: string;
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** With `{name}` for what is in `parameters`. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** True: no token is needed. */
  readonly open?: true;
  readonly parameters?: readonly Parameter[];
  /** Name of a component schema. */
  readonly request?: string;
  readonly responses: readonly Answer[];
  /** What it may be refused with, beyond `unauthenticated` and `internal`. */
  readonly faults?: readonly FaultCode[];
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly description: string;
  readonly schema: { readonly type: 'string' | 'integer' | 'boolean'; readonly [keyword: string]: unknown };
  readonly example?: string | number | boolean;
}

export interface Answer {
  readonly status: number;
  readonly description: string;
  /** Content type to the name of a component schema; `string` for text. */
  readonly content?: Readonly<Record<string, string>>;
  /** Names of component headers. */
  readonly headers?: readonly string[];
}

export const query = (
  name: string,
  description: string,
  schema: Parameter['schema'],
  example?: string | number,
): Parameter => ({
  name,
  in: 'query',
  description,
  schema,
  ...(example !== undefined && { example }),
});
export const header = (name: string, description: string, example: string): Parameter => ({
  name,
  in: 'header',
  description,
  schema: { type: 'string' },
  example,
});
export const text = { type: 'string' } as const;
export const json = (schema: string): Record<string, string> => ({ 'application/json': schema });
export const ok = (schema: string, description: string, headers: readonly string[] = []): Answer => ({
  status: 200,
  description,
  content: json(schema),
  headers,
});

export const NAME: Parameter = {
  name: 'name',
  in: 'path',
  description: 'Name of the resource.',
  schema: text,
  example: 'npm-public',
};
export const LIMIT = query('limit', 'The most items in one answer.', {
  type: 'integer',
  minimum: 1,
  maximum: 1000,
  default: 100,
});
export const AFTER = query('after', 'Where to go on: `next` of the answer before.', text);
export const PURL = query(
  'purl',
  'Only this package; with a version: only that release.',
  text,
  'pkg:npm/express@4.18.2',
);
