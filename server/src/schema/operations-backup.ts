import { type Operation, query } from './operation.ts';

export const BACKUP: readonly Operation[] = [
  {
    id: 'backup',
    method: 'post',
    path: '/api/v2/backup',
    tag: 'service',
    summary: 'Make a backup while serving goes on',
    description:
      'A tar, compressed with zstd: the ledger and the configuration with everything up to the request, and a list of blobs. It is whole when its last entry is `complete.json`.',
    parameters: [
      query('blobs', 'Which blobs are in it: `hosted` are those that no upstream has.', {
        type: 'string',
        enum: ['none', 'hosted', 'all'],
        default: 'none',
      }),
      query('secrets', 'Whether the admin token and the secret key are in it.', { type: 'boolean', default: false }),
    ],
    responses: [{ status: 200, description: 'The backup.', content: { 'application/zstd': 'string' } }],
    faults: ['invalid', 'conflict', 'unavailable'],
  },
];
