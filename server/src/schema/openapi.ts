import type { KindSchema } from '../contract/index.ts';
import { FAULT_STATUS, type FaultCode } from '../engine/fault.ts';
import { page, ref, SHARED_SCHEMAS, WARNINGS } from './components.ts';
import { type JsonSchema, objectSchema } from './json-schema.ts';
import { kinds } from './kinds.ts';
import type { Answer, Operation } from './operation.ts';
import { componentName, operations } from './operations.ts';

export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: JsonSchema;
  readonly servers: readonly JsonSchema[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly security: readonly JsonSchema[];
  /** By path, then by method. */
  readonly paths: Readonly<Record<string, Readonly<Record<string, JsonSchema>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, JsonSchema>>>>;
}

/** The management API as an OpenAPI 3.1 document. `url`: where it is served, without a trailing slash. */
export function openapi({ version, url = '/' }: { readonly version: string; readonly url?: string }): OpenApiDocument {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Entrepot management API',
      version,
      description: 'Declares repositories, browses what they keep, and answers who pulled what.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url }],
    tags: [...kinds().map(({ collection, description }) => ({ name: collection, description })), ...TAGS],
    security: [{ token: [] }],
    paths: paths(),
    components: { schemas: schemas(), securitySchemes: { token: TOKEN }, headers: { ETag: ETAG } },
  };
}

const TAGS = [
  { name: 'config', description: 'The whole configuration at once.' },
  { name: 'policy', description: 'What the rules make of releases.' },
  { name: 'objects', description: 'What remotes and hosted repositories keep.' },
  { name: 'audit', description: 'What was pulled, and how much there is.' },
  { name: 'service', description: 'The service itself.' },
];

const TOKEN = { type: 'http', scheme: 'bearer', description: 'The admin token.' };
const ETAG = { description: 'The revision, quoted.', schema: { type: 'string', examples: ['"7"'] } };

const TITLES: Readonly<Record<FaultCode, string>> = {
  invalid: 'The request is wrong; `errors` says where.',
  unauthenticated: 'A token is needed, or this one is not valid.',
  forbidden: 'This token may not.',
  withheld: 'A policy refuses it.',
  not_found: 'There is no such thing.',
  unsupported: 'Not with this method.',
  conflict: 'It stands against something that exists.',
  precondition_failed: 'It is not at the revision that was named.',
  too_large: 'The body is too large.',
  unsupported_media_type: 'The body is not JSON.',
  rate_limited: 'Too many requests.',
  integrity: 'The upstream sent other bytes than it announced.',
  upstream_unavailable: 'The upstream does not answer.',
  unavailable: 'The database or the store cannot be used at the moment.',
  internal: 'A mistake of the server; the log has more under the request id.',
};

function paths(): OpenApiDocument['paths'] {
  const byPath = new Map<string, Record<string, JsonSchema>>();
  for (const operation of operations()) {
    byPath.set(operation.path, { ...byPath.get(operation.path), [operation.method]: operationObject(operation) });
  }
  return Object.fromEntries(byPath);
}

function operationObject(operation: Operation): JsonSchema {
  const { id, tag, summary, description, open, parameters, request, responses } = operation;
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    ...(open && { security: [] }),
    ...(parameters && {
      parameters: parameters.map((each) => ({ ...each, ...(each.in === 'path' && { required: true }) })),
    }),
    ...(request !== undefined && {
      requestBody: { required: true, content: { 'application/json': { schema: ref(request) } } },
    }),
    responses: {
      ...Object.fromEntries(responses.map((each) => [each.status, responseObject(each)])),
      ...problems(operation),
    },
  };
}

function responseObject({ description, content, headers = [] }: Answer): JsonSchema {
  const media = Object.entries(content ?? {}).map(([type, schema]) => [
    type,
    { schema: schema === 'string' ? { type: 'string' } : ref(schema) },
  ]);
  return {
    description,
    ...(headers.length > 0 && {
      headers: Object.fromEntries(headers.map((name) => [name, { $ref: `#/components/headers/${name}` }])),
    }),
    ...(media.length > 0 && { content: Object.fromEntries(media) }),
  };
}

function problems({ open, request, faults = [] }: Operation): Record<string, JsonSchema> {
  const ofBody: readonly FaultCode[] = request === undefined ? [] : ['unsupported_media_type'];
  const codes: readonly FaultCode[] = open
    ? faults
    : ['unauthenticated', ...faults, ...ofBody, 'internal', 'unavailable'];
  const content = { 'application/problem+json': { schema: ref('Problem') } };
  return Object.fromEntries(
    codes.map((code) => [FAULT_STATUS[code], { description: `\`${code}\`: ${TITLES[code]}`, content }]),
  );
}

function schemas(): Readonly<Record<string, JsonSchema>> {
  const all = kinds();
  return {
    ...Object.fromEntries(all.flatMap(kindSchemas)),
    Configuration: {
      type: 'object',
      required: ['revision', 'resources'],
      properties: {
        revision: { type: 'integer' },
        resources: {
          type: 'array',
          items: { oneOf: all.map(({ kind }) => ref(`${componentName(kind)}InConfiguration`)) },
        },
      },
    },
    ...SHARED_SCHEMAS,
  };
}

/** The spec as it is sent, the envelope around it, and a page of envelopes. */
function kindSchemas({ kind, description, fields, status }: KindSchema): [string, JsonSchema][] {
  const name = componentName(kind);
  const outside = ['revision', 'managed_by', 'created_at', 'updated_at'];
  const within = objectSchema(status.filter((field) => !outside.includes(field.name)));
  const { properties } = objectSchema(status.filter((field) => outside.includes(field.name)));
  const envelope = {
    type: 'object',
    required: ['name', 'spec', 'status', ...outside],
    properties: {
      name: { type: 'string' },
      spec: ref(`${name}Spec`),
      status: within,
      ...(properties as JsonSchema),
      warnings: WARNINGS,
    },
  };
  return [
    [`${name}Spec`, { ...objectSchema(fields), description }],
    [name, envelope],
    [`${name}Page`, page(name)],
    [
      `${name}InConfiguration`,
      { allOf: [{ type: 'object', required: ['kind'], properties: { kind: { const: kind } } }, ref(name)] },
    ],
  ];
}
