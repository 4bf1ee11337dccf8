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

/** Of a dry run. */
export const WARNINGS: JsonSchema = {
  ...list(text),
  description: 'Of a dry run: what the change would have done to the pulls of the last 30 days.',
};

/** `next` is absent on the last page. */
export function page(name: string): JsonSchema {
  return answer({ items: list(ref(name)), next: { ...text, description: 'For `after`; absent on the last page.' } }, [
    'next',
  ]);
}

const PULL: Readonly<Record<string, JsonSchema>> = {
  id: { ...text, format: 'uuid' },
  at: time,
  repository: text,
  format: text,
  path: text,
  role: { enum: [...role.enum, 'index'] },
  purl: text,
  digest,
  size: integer,
  member: text,
  upstream: text,
  cache: { enum: ['hit', 'miss', 'stale', 'revalidated', 'none'] },
  decision: { enum: ['allowed', 'refused'] },
  rule: { ...text, description: 'The one that refused it; of what was allowed, the exemption that let it through.' },
  observed: { ...text, description: 'The rule that would have refused it, did it not only observe.' },
  principal: text,
  consumer: text,
  client: text,
  address: text,
  request_id: text,
  aborted: bool,
};
const OPTIONAL_OF_PULL = [
  ...['purl', 'digest', 'size', 'member', 'upstream', 'rule', 'observed', 'consumer', 'client', 'address', 'aborted'],
];

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
  ChangesetOutcome: answer({ revision: integer, outcomes: list(ref('ChangeOutcome')), warnings: WARNINGS }, [
    'warnings',
  ]),
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
      help: { ...text, description: 'Whom to ask about a refusal: the setting `refusal_help`.' },
    },
    ['rule', 'reason', 'until', 'nearest', 'evidence', 'help'],
  ),
  PreflightRequest: {
    ...answer({ repository: text, pins: { ...list(text), maxItems: 20_000 } }, ['repository']),
    additionalProperties: false,
  },
  Preflight: answer({ items: list(ref('Explained')) }),
  SimulateRequest: {
    ...answer(
      {
        resources: {
          ...list(answer({ kind: text, name: text, spec: { type: 'object' } })),
          description: 'Blocks, cooldowns, exemptions and freezes as they would be declared.',
        },
        remove: { ...list(answer({ kind: text, name: text })), description: 'Those that would be deleted.' },
        days: { ...integer, minimum: 1, maximum: 366, default: 30 },
      },
      ['resources', 'remove', 'days'],
    ),
    additionalProperties: false,
  },
  Simulated: answer({
    since: time,
    until: time,
    pulls: integer,
    truncated: bool,
    refused: { ...ref('Tallied'), description: 'What the proposed rules refuse and those of now do not.' },
    admitted: { ...ref('Tallied'), description: 'What the rules of now refuse and the proposed ones do not.' },
    released: {
      ...answer({
        versions: integer,
        packages: integer,
        items: list(answer({ purl: text, repository: text, rule: text })),
      }),
      description: 'Versions of packages that were asked for: withheld now, and not by the proposed rules.',
    },
  }),
  Tallied: answer({
    pulls: integer,
    packages: integer,
    releases: integer,
    consumers: integer,
    by_consumer: list(answer({ consumer: text, principal: text, pulls: integer, releases: integer }, ['consumer'])),
    by_release: list(answer({ what: text, pulls: integer, consumers: integer, rule: text, reason: text, last: time })),
  }),
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
  Pull: answer(PULL, OPTIONAL_OF_PULL),
  PullPage: page('Pull'),
  Decision: answer(
    {
      ...PULL,
      decision: { enum: ['refused', 'observed', 'exempted'] },
      reason: text,
      until: { ...time, description: 'When a refusal lifted by itself.' },
      evidence: { type: 'object', description: 'Who said when the release became public, and what was not believed.' },
      revision: { ...text, description: 'Of the policy that decided.' },
      observed: { ...list({ type: 'object' }), description: 'What rules that only observe would have refused.' },
    },
    [...OPTIONAL_OF_PULL, 'reason', 'until', 'evidence', 'revision'],
  ),
  DecisionPage: page('Decision'),
  Alert: answer(
    {
      id: text,
      kind: { enum: ['claimed_name', 'hosted_name', 'version_conflict', 'damaged_blob'] },
      repository: { ...text, description: 'The virtual.' },
      member: { ...text, description: 'The member that has what it should not have.' },
      name: { ...text, description: 'Of the package, as its format spells it.' },
      since: time,
      last_seen_at: time,
      ended_at: { ...time, description: 'When the member was seen without it; absent: it lasts.' },
      details: { type: 'object', description: 'Where it was seen; of a conflict: versions, paths and digests.' },
    },
    ['ended_at'],
  ),
  AlertPage: page('Alert'),
  Stats: answer(
    {
      objects: integer,
      blobs: integer,
      bytes: { ...integer, description: 'Of all blobs, each counted once.' },
      limit: { ...integer, description: 'Of these: the setting `storage.max_size`.' },
      orphaned_bytes: { ...integer, description: 'Of these: of blobs that nothing means any more; they go soon.' },
      packages: integer,
      releases: integer,
      pulls: integer,
      by_repository: list(
        answer(
          { repository: text, objects: integer, bytes: integer, limit: { ...integer, description: 'Its `max_size`.' } },
          ['limit'],
        ),
      ),
      swept_at: {
        ...time,
        description: 'When the last walk through the store for blobs that are not on record ended.',
      },
      scrub: answer(
        {
          since: { ...time, description: 'When this round of reading every blob again began, or is to begin.' },
          blobs: { ...integer, description: 'Read in this round.' },
          bytes: integer,
          last: answer({ at: time, blobs: integer, bytes: integer, damaged: integer }),
        },
        ['since', 'last'],
      ),
      quarantined: { ...integer, description: 'Blobs that were found corrupt, ever.' },
      lost: {
        ...list(answer({ digest, repository: text, path: text, since: time })),
        description: 'What was published here and is damaged, until it is published again.',
      },
    },
    ['limit', 'swept_at'],
  ),
  VerifyRequest: {
    ...answer(
      { scope: { enum: ['store'] }, read: { ...bool, default: true, description: 'Every byte; otherwise sizes.' } },
      ['read'],
    ),
    additionalProperties: false,
  },
  Verification: answer(
    {
      scope: { enum: ['store'] },
      read: bool,
      state: { enum: ['running', 'done', 'failed', 'broken_off'] },
      started_at: time,
      updated_at: time,
      message: { ...text, description: 'Why it failed.' },
      total: answer({ blobs: integer, bytes: integer }),
      done: answer({ blobs: integer, bytes: integer }),
      counts: answer({ missing: integer, corrupt: integer, unreferenced: integer }),
      findings: {
        ...list(
          answer({
            kind: { enum: ['missing', 'corrupt', 'unreferenced'] },
            digest,
            size: integer,
            objects: list(answer({ repository: text, path: text })),
            remedy: { enum: ['fetched_again', 'publish_again', 'swept'] },
          }),
        ),
        description: 'The first thousand.',
      },
    },
    ['message'],
  ),
  Health: answer({
    status: { enum: ['ok', 'degraded', 'failing'], description: '`degraded`: it serves all the same.' },
    failing: { ...list(text), description: 'Names of the parts that do not work.' },
    checks: { type: 'object', additionalProperties: ref('Check') },
  }),
  Check: answer(
    {
      status: { enum: ['ok', 'degraded', 'failing'] },
      message: { ...text, description: 'For the administrator only.' },
      latency_ms: { ...integer, description: 'How long the check took; for the administrator only.' },
    },
    ['message', 'latency_ms'],
  ),
  Live: answer({ live: bool }),
  Ready: answer({ ready: bool, reason: text }, ['reason']),
  OpenApi: { type: 'object' },
};
