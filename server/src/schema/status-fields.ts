import type { FieldSchema } from '../contract/index.ts';

/** What the server says of every resource, besides its spec. */
export const STATUS_FIELDS: readonly FieldSchema[] = [
  {
    name: 'revision',
    type: 'integer',
    description: 'Grows with every change; the ETag of the resource.',
    example: 7,
    computed: 'volatile',
  },
  {
    name: 'managed_by',
    type: 'string',
    enum: ['api', 'defaults', 'file'],
    description: 'Who declared it: the management API (Terraform too), the first start, or a file of the installation.',
    example: 'api',
    computed: 'volatile',
  },
  {
    name: 'created_at',
    type: 'string',
    description: 'When it was created, RFC 3339.',
    example: '2026-03-01T12:00:00.000Z',
    computed: 'stable',
  },
  {
    name: 'updated_at',
    type: 'string',
    description: 'When it was last changed, RFC 3339.',
    example: '2026-03-02T08:30:00.000Z',
    computed: 'volatile',
  },
];

/** And of a repository. */
export const REPOSITORY_STATUS: readonly FieldSchema[] = [
  {
    name: 'repository_url',
    type: 'string',
    format: 'url',
    description: 'The address that clients are given.',
    example: 'https://packages.example.com/npm',
    computed: 'stable',
  },
  ...STATUS_FIELDS,
];
