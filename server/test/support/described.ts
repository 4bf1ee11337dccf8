import { Ajv2020 } from 'ajv/dist/2020.js';
import { openapi } from '../../src/schema/openapi.ts';
import { operations } from '../../src/schema/operations.ts';

/** An answer of the management API. */
export interface Answered {
  readonly status: number;
  /** Content type without parameters. */
  readonly type: string;
  readonly body: unknown;
}

const document = openapi({ version: '0.0.0' });
const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
ajv.addSchema({ $id: 'openapi', components: document.components });

/** Throws unless the OpenAPI document has this call, with this status, this content type and a body of this shape. */
export function requireDescribed(method: string, url: string, { status, type, body }: Answered): void {
  const path = url.split('?', 1)[0] ?? '';
  const operation = operations().find((each) => each.method === method.toLowerCase() && pattern(each.path).test(path));
  if (!operation) return;
  const answers = document.paths[operation.path]?.[operation.method]?.['responses'] as Readonly<
    Record<string, { content?: object }>
  >;
  const answer = answers[status];
  const what = `${method} ${path} → ${status}`;
  if (!answer) throw new Error(`${what} is not in the OpenAPI document: ${JSON.stringify(body)}`);
  const content = Object.keys(answer.content ?? {});
  if (content.length === 0) return;
  if (!content.includes(type))
    throw new Error(`${what} comes as ${type}; the OpenAPI document has ${content.join(', ')}`);
  if (!type.endsWith('json') || type.endsWith('ndjson')) return;
  const place = ['paths', operation.path, operation.method, 'responses', String(status), 'content', type, 'schema'];
  const schema = place.reduce<unknown>((node, step) => (node as Record<string, unknown>)[step], document);
  const validate = ajv.compile(anchored(schema) as object);
  if (!validate(body))
    throw new Error(
      `${what} is not as the OpenAPI document says: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(body)}`,
    );
}

function anchored(schema: unknown): unknown {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"openapi#/components/'));
}

function pattern(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{[a-z]+\}/g, '[^/]+')}$`);
}
