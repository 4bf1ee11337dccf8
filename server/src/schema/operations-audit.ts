import { AFTER, header, json, LIMIT, type Operation, ok, type Parameter, PURL, query, text } from './operation.ts';

/** What rules say, and would say. */
export const POLICY: readonly Operation[] = [
  {
    id: 'explain',
    method: 'get',
    path: '/api/v2/explain',
    tag: 'policy',
    summary: 'Say what the rules make of a release now',
    parameters: [
      query('purl', 'The release.', text, 'pkg:npm/express@4.18.2'),
      query('repository', 'Through which it is asked for; without it: the usual one of its format.', text, 'npm'),
    ],
    responses: [ok('Explained', 'The decision, with what it was judged by.')],
    faults: ['invalid', 'not_found', 'upstream_unavailable'],
  },
  {
    id: 'preflight',
    method: 'post',
    path: '/api/v2/preflight',
    tag: 'policy',
    summary: 'Say what the rules make of every pin of a lock file',
    request: 'PreflightRequest',
    responses: [ok('Preflight', 'One verdict for each pin, in their order.')],
    faults: ['invalid', 'not_found'],
  },
  {
    id: 'simulate',
    method: 'post',
    path: '/api/v2/simulate',
    tag: 'policy',
    summary: 'Say what other rules would have made of the recorded pulls',
    description:
      'Each pull is judged as of its own time, by the rules of now and by the proposed ones. As NDJSON: lines with `progress`, then one with `result` or `problem`.',
    request: 'SimulateRequest',
    responses: [
      {
        status: 200,
        description: 'What would have been refused, and what would be released. Lists have the first 100.',
        content: { 'application/json': 'Simulated', 'application/x-ndjson': 'string' },
      },
    ],
    faults: ['invalid', 'not_found', 'conflict', 'rate_limited'],
  },
];

/** Which pulls. */
const PULLS: readonly Parameter[] = [
  PURL,
  query('digest', 'Only this file.', text, `sha256:${'0'.repeat(64)}`),
  query('repository', 'Only through this repository.', text, 'npm'),
  query('principal', 'Only by this principal.', text, 'anonymous'),
  query('consumer', 'Only for this consumer.', text, 'ci/build-17'),
  query('since', 'From this time on, RFC 3339.', { type: 'string', format: 'date-time' }, '2026-03-01T00:00:00Z'),
  query('until', 'Before this time, RFC 3339.', { type: 'string', format: 'date-time' }, '2026-04-01T00:00:00Z'),
];

/** What was pulled, decided, and happened. */
export const AUDIT: readonly Operation[] = [
  {
    id: 'list_pulls',
    method: 'get',
    path: '/api/v2/pulls',
    tag: 'audit',
    summary: 'List pulls, newest first',
    parameters: [
      ...PULLS,
      query('decision', 'Only these.', { type: 'string', enum: ['allowed', 'refused'] }),
      LIMIT,
      AFTER,
    ],
    responses: [
      {
        status: 200,
        description: 'Pulls; as NDJSON or CSV without the page around them.',
        content: { 'application/json': 'PullPage', 'application/x-ndjson': 'string', 'text/csv': 'string' },
      },
    ],
    faults: ['invalid'],
  },
  {
    id: 'list_decisions',
    method: 'get',
    path: '/api/v2/decisions',
    tag: 'policy',
    summary: 'List what rules decided, newest first',
    description:
      'What was refused, what a rule that only observes would have refused, and what an exemption let through.',
    parameters: [
      ...PULLS,
      query('decision', 'Only these.', { type: 'string', enum: ['refused', 'observed', 'exempted'] }),
      LIMIT,
      AFTER,
    ],
    responses: [ok('DecisionPage', 'Decisions as they were made.')],
    faults: ['invalid'],
  },
  {
    id: 'get_decision',
    method: 'get',
    path: '/api/v2/decisions/{id}',
    tag: 'policy',
    summary: 'Show a decision as it was made',
    description: 'By the id that a refusal has in `X-Entrepot-Decision`; also when the rule is gone.',
    parameters: [{ name: 'id', in: 'path', description: 'Id of the decision.', schema: text }],
    responses: [ok('Decision', 'The decision.')],
    faults: ['invalid', 'not_found'],
  },
  {
    id: 'list_alerts',
    method: 'get',
    path: '/api/v2/alerts',
    tag: 'policy',
    summary: 'List what a person should look at, newest first',
    description:
      'A member of a virtual that has a package under a name that is claimed for others (`claimed_name`) or published here (`hosted_name`), or other bytes under a version that another member has (`version_conflict`); what was published here and is damaged (`damaged_blob`). Each once for as long as it lasts.',
    parameters: [
      query('kind', 'Only these.', {
        type: 'string',
        enum: ['claimed_name', 'hosted_name', 'version_conflict', 'damaged_blob'],
      }),
      query('repository', 'Only of this virtual.', text, 'npm'),
      query('member', 'Only about this member.', text, 'npm-public'),
      query('name', 'Only of this package, as its format spells it.', text, '@acme/app'),
      query('state', 'Only those that last, or that are over.', { type: 'string', enum: ['current', 'ended'] }),
      LIMIT,
      AFTER,
    ],
    responses: [ok('AlertPage', 'Alerts.')],
    faults: ['invalid'],
  },
  {
    id: 'events',
    method: 'get',
    path: '/api/v2/events',
    tag: 'audit',
    summary: 'Follow what happens',
    description:
      'Server-Sent Events, each with an `id`: a client that lost the stream goes on where it was, for 24 hours. What a client does not read is not held for it.',
    parameters: [
      query('kind', 'Only these, with commas between them.', text, 'refused,alert'),
      query('repository', 'Only of this repository.', text, 'npm'),
      header('Last-Event-ID', 'The id of the last event you have; without it: from now on.', '17.4211'),
    ],
    responses: [{ status: 200, description: 'A stream of events.', content: { 'text/event-stream': 'string' } }],
    faults: ['invalid', 'rate_limited'],
  },
  {
    id: 'stats',
    method: 'get',
    path: '/api/v2/stats',
    tag: 'audit',
    summary: 'How much there is',
    responses: [ok('Stats', 'Counts and bytes.')],
  },
  {
    id: 'start_verification',
    method: 'post',
    path: '/api/v2/verify',
    tag: 'audit',
    summary: 'Hold every blob of the store against the ledger, in the background',
    description: 'What is damaged is quarantined; what remotes have of it is fetched again when somebody asks.',
    request: 'VerifyRequest',
    responses: [{ status: 202, description: 'It has begun.', content: json('Verification') }],
    faults: ['invalid', 'conflict'],
  },
  {
    id: 'get_verification',
    method: 'get',
    path: '/api/v2/verify',
    tag: 'audit',
    summary: 'How far the last verification is, and what it found',
    responses: [ok('Verification', 'Of whichever process runs it.')],
    faults: ['not_found'],
  },
];
