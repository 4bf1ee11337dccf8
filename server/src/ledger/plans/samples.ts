import type { EntityManager } from 'typeorm';
import type { readers, writers } from '../queries.ts';
import { objectRow, pullRow } from '../samples.ts';

type Arguments<Query> = Query extends (manager: EntityManager, ...rest: infer Rest) => unknown ? Rest : never;
/** Of every query, calls in each way that it is called. A query without any is an error of types. */
type Calls<Queries> = { readonly [Name in keyof Queries]-?: readonly Arguments<Queries[Name]>[] };

const page = { limit: 50 };
const at = 1_010_000;
const paths = ['/p7', '/p17', '/p27'];
const digests = ['digest 7', 'digest 8'];
const about = { kind: 'kind 7', repository: 'repository 7', member: 'member 7', name: 'name 1' };
const stretch = { after: { event: 100, pull: 100 }, until: { event: 5000, pull: 5000 }, limit: 100 };
const file = objectRow({ repository: 'repository 7', path: '/p7', name: 'name 1', version: 'version 7' });
const sights = { repository: 'repository 7', format: 'oci', name: 'name 1', at };
const used = { repository: 'repository 7', path: '/p7', digest: 'digest 7', size: 1, usedAt: 1 };
const change = { repository: 'repository 7', format: 'npm', at, files: [], metadata: [], removed: [] };
const filters = [
  {},
  ...(['package', 'digest', 'repository', 'principal', 'consumer'] as const).map((name) => ({ [name]: `${name} 7` })),
  { package: 'package 1', version: 'version 7' },
  { decision: 'refused' },
  { since: at, until: at + 1000 },
  ...(['refused', 'observed', 'exempted', 'any'] as const).map((ruling) => ({ ruling })),
] as const;

export const READS: Calls<typeof readers> = {
  resources: [[]],
  seen: [['repository 7', 'name 1']],
  isListed: [['repository 7', 'name 1']],
  meanings: [['repository 7', 'name 1']],
  carriers: [['repository 7', 'name 1', 'digest 7']],
  fileDates: [['repository 7', 'upstream 7', paths]],
  object: [['repository 7', '/p7']],
  objects: [
    [{ repository: 'repository 7' }, page],
    [{ repository: 'repository 7' }, { ...page, after: '/p17' }],
    [{ repository: 'repository 7', path: '/p7' }, page],
    [{ repository: 'repository 7', prefix: '/p1' }, page],
    [{ repository: 'repository 7', purl: 'package 1' }, page],
    [{ repository: 'repository 7', purl: 'purl@7' }, page],
  ],
  hostedPackage: [['repository 7', 'name 1']],
  hostedNames: [['repository 7']],
  leastUsed: [
    [{ before: at, limit: 100 }],
    [{ repository: 'repository 7', before: at, limit: 100 }],
    [{ repository: 'repository 7', before: at, largerThan: 5000, limit: 100 }],
  ],
  oldEvidence: [[at, 100]],
  dying: [[at, 100]],
  blobs: [[page], [{ ...page, after: 'digest 7' }]],
  holders: [[digests]],
  sizes: [[]],
  journalPositions: [[]],
  pulls: filters.flatMap((filter) => [
    [filter, page] as const,
    [filter, { ...page, after: 'id 7' }] as const,
  ]) as unknown as Calls<typeof readers>['pulls'],
  pull: [['id 7']],
  pullsSince: [[at, 1000]],
  pullSlice: [[at, at + 5000, 1000]],
  fileFacts: [['repository 7', paths]],
  knownReleases: [['repository 7', ['name 1', 'name 2']]],
  releaseFacts: [
    [
      'repository 7',
      [
        ['name 1', 'version 7'],
        ['name 2', 'version 8'],
      ],
    ],
  ],
  feedEnd: [[]],
  feedSince: [[at]],
  feed: [[stretch], [{ ...stretch, kinds: ['refused', 'kind 7'] }], [{ ...stretch, repository: 'repository 7' }]],
  fact: [['ledger.revision']],
  marks: [[]],
  stats: [[]],
  alerts: [
    [{}, page],
    [{ repository: 'repository 7' }, { ...page, after: 7000 }],
    [{ state: 'current' }, page],
  ],
  packageNames: [
    ['repository 7', page],
    ['repository 7', { ...page, after: 'name 1' }],
  ],
};

export const WRITES: Calls<typeof writers> = {
  change: [
    [
      [
        { op: 'put', kind: 'remote', name: 'a', spec: {}, managedBy: 'api' },
        { op: 'delete', kind: 'remote', name: 'a' },
      ],
      at,
    ],
  ],
  recordObject: [[file], [objectRow({ repository: 'elsewhere' })]],
  refreshObject: [['repository 7', '/p7', { checkedAt: at, freshUntil: at }]],
  markObject: [['repository 7', '/p7', { retractedAt: at }]],
  evict: [
    [{ repository: 'repository 7', path: '/p7' }],
    [{ repository: 'repository 7', prefix: '/p1' }],
    [{ repository: 'repository 7', purl: 'package 1' }],
    [{ repository: 'repository 7', purl: 'purl@7' }],
  ],
  evictUnused: [[[used], at]],
  condemn: [[at, 100, at]],
  buried: [[digests]],
  reserve: [[{ digest: 'digest 7', size: 1 }, at, at]],
  disown: [[[{ digest: 'digest 7', size: 1 }], at]],
  markUnmeant: [[digests, at]],
  publish: [
    [{ ...change, package: 'new', files: [{ object: { ...file, path: '/new' }, metadata: '{}' }] }],
    [
      {
        ...change,
        package: 'name 1',
        expect: 7,
        metadata: [{ path: '/p7', metadata: '{}' }],
        removed: [
          { path: '/p7', frees: false },
          { path: '/p17', frees: true },
        ],
      },
    ],
  ],
  recordListing: [
    [{ repository: 'repository 7', format: 'npm', name: 'name 1', at, releases: [{ version: 'version 7' }] }],
  ],
  recordSights: [
    [{ ...sights, listing: ['v1'], releases: [{ version: 'version 7', tag: 'v1' }] }],
    [{ ...sights, releases: [{ version: 'version 8' }], carrier: { version: 'version 7', parts: ['digest 9'] } }],
    [{ ...sights, releases: [{ version: 'version 8' }], beside: 'version 7' }],
  ],
  recordFileDates: [['repository 7', 'upstream 7', [{ path: '/p7', at }]]],
  loadPulls: [[[pullRow(1), pullRow(2, { repository: 'repository 7', path: '/p7' })], { segment: 's', offset: 1 }]],
  loadJournal: [[Buffer.from(`${JSON.stringify(pullRow(3))}\n`), { segment: 's', offset: 2 }]],
  forgetJournal: [['s']],
  recordEvents: [[[{ kind: 'evicted', at, repository: 'repository 7', details: '{}' }]]],
  forgetEvents: [[1_000_100]],
  raiseAlert: [[{ ...about, at, details: {} }]],
  endAlert: [[about, at]],
  setFact: [['key', 'value']],
  claimFact: [['key', 'value']],
  check: [[]],
};
