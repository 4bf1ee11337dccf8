import type { KindSchema } from '../contract/index.ts';
import { kinds } from './kinds.ts';
import { AFTER, type Answer, header, json, LIMIT, NAME, type Operation, ok, PURL, query, text } from './operation.ts';
import { AUDIT, POLICY } from './operations-audit.ts';
import { BACKUP } from './operations-backup.ts';

const DRY_RUN = query('dry_run', 'Validates and answers what would be stored; changes nothing.', {
  type: 'boolean',
  default: false,
});
const IF_MATCH = header('If-Match', 'The revision it must have, quoted; otherwise 412.', '"7"');
const IF_NONE_MATCH = header('If-None-Match', '`*`: only create; 412 when it exists.', '*');

/** Every call there is now. */
export function operations(): readonly Operation[] {
  return [
    ...kinds().flatMap(resourceOperations),
    ...CONFIGURATION,
    ...OBJECTS,
    ...POLICY,
    ...AUDIT,
    ...SERVICE,
    ...BACKUP,
  ];
}

function resourceOperations({ kind, collection }: KindSchema): readonly Operation[] {
  const schema = componentName(kind);
  const [many, one] = [`/api/v2/${collection}`, `/api/v2/${collection}/{name}`];
  const envelope = (status: 200 | 201, description: string): Answer => ({
    status,
    description,
    content: json(schema),
    headers: ['ETag'],
  });
  const tag = collection;
  return [
    {
      id: `list_${collection}`,
      method: 'get',
      path: many,
      tag,
      summary: `List ${collection}`,
      parameters: [
        LIMIT,
        AFTER,
        query('format', 'Only those of this format.', text, 'npm'),
        query('label', 'Only those with this label.', text, 'team=platform'),
      ],
      responses: [ok(`${schema}Page`, 'In order of name.')],
      faults: ['invalid'],
    },
    {
      id: `create_${kind}`,
      method: 'post',
      path: many,
      tag,
      summary: `Create a ${kind}`,
      description:
        'A resource made by the first start (`managed_by: defaults`) is taken over; any other of that name is a conflict.',
      parameters: [DRY_RUN],
      request: `${schema}Spec`,
      responses: [envelope(201, 'Created.'), envelope(200, 'What would be stored, for `dry_run`.')],
      faults: ['invalid', 'conflict', 'too_large'],
    },
    {
      id: `get_${kind}`,
      method: 'get',
      path: one,
      tag,
      summary: `Get a ${kind}`,
      parameters: [NAME],
      responses: [envelope(200, 'As declared, without its secrets.')],
      faults: ['not_found'],
    },
    {
      id: `put_${kind}`,
      method: 'put',
      path: one,
      tag,
      summary: `Create or replace a ${kind}`,
      description:
        'The same spec again changes nothing. A secret that is left out is kept while the object it stands in is otherwise unchanged and every URL keeps its origin.',
      parameters: [NAME, DRY_RUN, IF_MATCH, IF_NONE_MATCH],
      request: `${schema}Spec`,
      responses: [envelope(200, 'Replaced, or unchanged.'), envelope(201, 'Created.')],
      faults: ['invalid', 'conflict', 'precondition_failed', 'too_large'],
    },
    {
      id: `delete_${kind}`,
      method: 'delete',
      path: one,
      tag,
      summary: `Delete a ${kind}`,
      parameters: [
        NAME,
        DRY_RUN,
        IF_MATCH,
        query('in_use', '`retire`: it serves until the last resource that uses it goes, then it is gone.', {
          type: 'string',
          enum: ['refuse', 'retire'],
          default: 'refuse',
        }),
      ],
      responses: [
        { status: 204, description: 'Gone, or retiring.' },
        envelope(200, 'What would be deleted, for `dry_run`.'),
      ],
      faults: ['invalid', 'not_found', 'conflict', 'precondition_failed'],
    },
  ];
}

const CONFIGURATION: readonly Operation[] = [
  {
    id: 'get_config',
    method: 'get',
    path: '/api/v2/config',
    tag: 'config',
    summary: 'Every declared resource in one document',
    parameters: [header('If-None-Match', 'The ETag of the document you have.', '"42"')],
    responses: [
      ok('Configuration', 'The configuration at one revision.', ['ETag']),
      { status: 304, description: 'You have it.' },
    ],
  },
  {
    id: 'change_config',
    method: 'post',
    path: '/api/v2/config',
    tag: 'config',
    summary: 'Apply a set of changes',
    description: 'The server orders them: what is referred to comes first, and goes last.',
    parameters: [
      query('atomic', 'true: all or nothing; false: an outcome for each.', { type: 'boolean', default: true }),
      DRY_RUN,
    ],
    request: 'Changeset',
    responses: [ok('ChangesetOutcome', 'An outcome for each change, in the order in which they were sent.', ['ETag'])],
    faults: ['invalid', 'conflict', 'precondition_failed', 'too_large'],
  },
];

const PREFIX = query('prefix', 'Only paths that start so.', text, 'express/');

/** `repository`: of that collection, in words. */
function objectOperations(collection: string, suffix: string, repository: string): readonly Operation[] {
  const path = `/api/v2/${collection}/{name}/objects`;
  const name = { ...NAME, description: `Name of the ${repository}.` };
  return [
    {
      id: `list_${suffix}`,
      method: 'get',
      path,
      tag: 'objects',
      summary: `List what a ${repository} keeps`,
      parameters: [name, PREFIX, PURL, LIMIT, AFTER],
      responses: [ok('ObjectPage', 'Objects in order of path.')],
      faults: ['invalid', 'not_found'],
    },
    {
      id: `evict_${suffix}`,
      method: 'delete',
      path,
      tag: 'objects',
      summary: `Remove what a ${repository} keeps`,
      description: 'Exactly one of `path`, `prefix`, `purl` and `all` says what.',
      parameters: [
        name,
        query('path', 'This one.', text, 'express/-/express-4.18.2.tgz'),
        PREFIX,
        PURL,
        query('all', 'Everything.', { type: 'boolean', const: true }),
      ],
      responses: [ok('Evicted', 'What went.')],
      faults: ['invalid', 'not_found'],
    },
  ];
}

const OBJECTS: readonly Operation[] = [
  ...objectOperations('remotes', 'objects', 'remote'),
  ...objectOperations('hosted', 'hosted_objects', 'hosted repository'),
  {
    id: 'probe',
    method: 'post',
    path: '/api/v2/probe',
    tag: 'objects',
    summary: 'Fetch from an upstream without a client',
    request: 'ProbeRequest',
    responses: [ok('Probe', 'What the upstream answered.')],
    faults: ['invalid', 'not_found'],
  },
];

const SERVICE: readonly Operation[] = [
  {
    id: 'health',
    method: 'get',
    path: '/health',
    tag: 'service',
    summary: 'Health of every part',
    open: true,
    responses: [
      ok('Health', 'Every part works.'),
      { status: 503, description: 'A part fails.', content: json('Health') },
    ],
  },
  {
    id: 'live',
    method: 'get',
    path: '/health/live',
    tag: 'service',
    summary: 'Whether it answers at all, whatever its parts say: for a check that restarts it',
    open: true,
    responses: [ok('Live', 'It does.')],
  },
  {
    id: 'ready',
    method: 'get',
    path: '/ready',
    tag: 'service',
    summary: 'Whether it takes requests',
    open: true,
    responses: [ok('Ready', 'It does.'), { status: 503, description: 'Not now.', content: json('Ready') }],
  },
  {
    id: 'metrics',
    method: 'get',
    path: '/metrics',
    tag: 'service',
    summary: 'Metrics for Prometheus',
    responses: [{ status: 200, description: 'Text exposition format.', content: { 'text/plain': 'string' } }],
  },
  {
    id: 'openapi',
    method: 'get',
    path: '/openapi.json',
    tag: 'service',
    summary: 'This document',
    open: true,
    responses: [ok('OpenApi', 'OpenAPI 3.1.')],
  },
];

/** `Remote`, `AccessRule` */
export function componentName(kind: string): string {
  return kind
    .split('_')
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('');
}
