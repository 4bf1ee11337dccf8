import { FAULT_CODES } from '../engine/fault.ts';
import type { JsonSchema } from './json-schema.ts';

const text = { type: 'string' };
const integer = { type: 'integer' };
const time = { type: 'string', format: 'date-time' };
const bool = { type: 'boolean' };
const digest = { type: 'string', pattern: '^[a-z0-9]+:[0-9a-f]+$', examples: [`sha256:${'0'.repeat(64)}`] };
const role = { enum: ['package', 'metadata', 'signature'] };

/** An object whose properties are there, but for those named in `optional`. */
function answer(properties: Readonly<Record<string, JsonSchema>>, optional: readonly string[] = []): JsonSchema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', properties, required };
}

function list(items: JsonSchema): JsonSchema {
  return { type: 'array', items };
}

export function ref(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` };
}

/** `next` is absent on the last page. */
export function page(name: string): JsonSchema {
  return answer({ items: list(ref(name)), next: { ...text, description: 'For `after`; absent on the last page.' } }, [
    'next',
  ]);
}

/** What the calls that are not about one kind of resource take and answer. */
export const SHARED_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  Problem: {
    description: 'RFC 9457. `detail` is for a person, `code` for a program.',
    ...answer(
      {
        type: text,
        title: text,
        status: integer,
        detail: text,
        code: { enum: [...FAULT_CODES] },
        errors: list(answer({ path: list({ type: ['string', 'integer'] }), message: text })),
        request_id: text,
      },
      ['errors', 'request_id'],
    ),
  },
  Change: {
    ...answer(
      {
        op: { enum: ['put', 'delete'] },
        kind: text,
        name: text,
        spec: { type: 'object', description: 'Of `put`: as of PUT to the resource.' },
        if_match: {
          type: ['integer', 'string'],
          description: 'The revision it must have; `absent`: it must not exist.',
        },
        key: {
          ...text,
          maxLength: 200,
          description: 'Makes a retry harmless: the outcome of a key is remembered for an hour.',
        },
      },
      ['spec', 'if_match', 'key'],
    ),
  },
  Changeset: { ...list(ref('Change')), maxItems: 1000 },
  ChangesetOutcome: answer({ revision: integer, outcomes: list(ref('ChangeOutcome')) }),
  ChangeOutcome: answer(
    {
      op: { enum: ['put', 'delete'] },
      kind: text,
      name: text,
      changed: bool,
      resource: { type: 'object' },
      problem: ref('Problem'),
    },
    ['resource', 'problem'],
  ),
  Object: answer(
    {
      path: text,
      purl: text,
      kind: { enum: ['artifact', 'index'] },
      role: { enum: ['package', 'metadata', 'signature', 'index'] },
      digest,
      size: integer,
      type: text,
      url: { ...text, format: 'uri', description: 'Absent where it was published here.' },
      beside: {
        type: 'boolean',
        description: 'Other bytes that the upstream has had under that path: kept as evidence, never served.',
      },
      fetched_at: time,
      retracted_at: { ...time, description: 'When the upstream was first without it: not served any more.' },
      disputed: { type: 'string', description: 'Digest of other bytes that the upstream has had under that path.' },
      fresh_until: { type: ['string', 'null'], format: 'date-time', description: 'null: for ever.' },
      last_pulled_at: time,
      pulls: integer,
    },
    ['purl', 'url', 'last_pulled_at', 'beside', 'retracted_at', 'disputed'],
  ),
  ObjectPage: page('Object'),
  Evicted: answer({ objects: integer, bytes: integer }),
  Explained: answer(
    {
      purl: { ...text, description: 'As it was asked.' },
      repository: text,
      allowed: bool,
      rule: { ...text, description: 'Kind and name of the rule that refuses: `cooldown/default`.' },
      reason: text,
      until: { ...time, description: 'When this may change by itself.' },
      nearest: { ...text, description: 'The version to use instead.' },
      evidence: { type: 'object', description: 'Who said when the release became public.' },
    },
    ['rule', 'reason', 'until', 'nearest', 'evidence'],
  ),
  PreflightRequest: {
    ...answer({ repository: text, pins: { ...list(text), maxItems: 20_000 } }, ['repository']),
    additionalProperties: false,
  },
  Preflight: answer({ items: list(ref('Explained')) }),
  ProbeRequest: { ...answer({ remote: text, path: text }), additionalProperties: false },
  Probe: answer(
    {
      path: text,
      target: text,
      classification: { enum: ['mutable', 'immutable', 'passed_on'] },
      status: integer,
      url: { ...text, format: 'uri' },
      headers: { type: 'object', additionalProperties: text },
      timings: answer({ connect: { type: 'number' }, first_byte: { type: 'number' } }, ['connect']),
      failure: { ...text, description: 'Why there was no answer.' },
      decision: answer({ allowed: bool, rule: text, reason: text }, ['rule', 'reason']),
    },
    ['status', 'url', 'headers', 'timings', 'failure'],
  ),
  Pull: answer(
    {
      id: { ...text, format: 'uuid' },
      at: time,
      repository: text,
      format: text,
      path: text,
      role,
      purl: text,
      digest,
      size: integer,
      member: text,
      upstream: text,
      cache: { enum: ['hit', 'miss', 'stale', 'revalidated', 'none'] },
      decision: { enum: ['allowed', 'refused'] },
      rule: text,
      principal: text,
      consumer: text,
      client: text,
      address: text,
      request_id: text,
      aborted: bool,
    },
    ['purl', 'digest', 'size', 'member', 'upstream', 'rule', 'consumer', 'client', 'address', 'aborted'],
  ),
  PullPage: page('Pull'),
  Stats: answer({
    objects: integer,
    blobs: integer,
    bytes: integer,
    packages: integer,
    releases: integer,
    pulls: integer,
    by_repository: list(answer({ repository: text, objects: integer, bytes: integer })),
  }),
  Health: answer({
    status: { enum: ['ok', 'failing'] },
    checks: { type: 'object', additionalProperties: ref('Check') },
  }),
  Check: answer({ status: { enum: ['ok', 'failing'] }, message: text }, ['message']),
  Ready: answer({ ready: bool, reason: text }, ['reason']),
  OpenApi: { type: 'object' },
};
