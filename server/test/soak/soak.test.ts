import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BUILT_SERVER } from '../support/server-process.ts';
import { FalsifyingProxy } from './falsifying-proxy.ts';
import { type Outcome, soak } from './run.ts';

let folder: string;
let opened: AsyncDisposableStack;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  folder = await mkdtemp(join(tmpdir(), 'entrepot-soak-test-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
});
afterEach(() => opened.disposeAsync());

function shortly(falsify: (path: string, body: Buffer) => Buffer | number): Promise<Outcome> {
  return soak({
    seed: 'a test',
    milliseconds: 0,
    requests: 400,
    clients: 4,
    topology: 'single',
    program: BUILT_SERVER,
    folder,
    faults: false,
    say: () => {},
    reach: async (url) => {
      const proxy = await FalsifyingProxy.start(url, falsify);
      opened.defer(() => proxy.stop());
      return proxy.url;
    },
  });
}

test('nothing is wrong with a server that does what it should', async () => {
  const { findings, requests, audited } = await shortly((_path, body) => body);
  expect(findings).toEqual([]);
  expect(requests).toBeGreaterThanOrEqual(400);
  for (const what of ['pulls', 'indexes', 'files', 'blobs']) expect(audited[what], what).toBeGreaterThan(10);
});

/** Each is done once. */
const FALSIFIED: readonly {
  readonly found: string;
  readonly suits: (path: string, body: Buffer) => boolean;
  readonly falsify: (body: Buffer) => Buffer | number;
}[] = [
  {
    found: 'a client has a complete file with wrong bytes',
    suits: (path, body) => path.endsWith('.crate') && body.length > 1000,
    falsify: (body) => Buffer.concat([body.subarray(0, 500), Buffer.from([~(body[500] ?? 0)]), body.subarray(501)]),
  },
  {
    found: 'answered 500',
    suits: (path) => path.endsWith('.whl'),
    falsify: () => 500,
  },
  {
    found: '404 for what there is',
    suits: (path) => path.endsWith('.tgz'),
    falsify: () => 404,
  },
  {
    found: 'an index does not list what there is',
    suits: (path, body) => path.startsWith('/npm-far/parcel-') && body[0] === '{'.charCodeAt(0),
    falsify: withoutFirst,
  },
  {
    found: 'a pull is not on record',
    suits: isLog,
    // One is twice, every third is gone.
    falsify: (body) => lines(body, (all) => [...all.filter((_, nth) => nth % 3 > 0), ...all.slice(1, 2)]),
  },
];

test('whatever a broken server does is found, and nothing else', async () => {
  const left = new Set(FALSIFIED);
  const { findings } = await shortly((path, body) => {
    const [next] = [...left].filter(({ suits }) => suits(path, body));
    if (!next) return body;
    left.delete(next);
    return next.falsify(body);
  });
  expect(findings.map(({ what }) => what).sort()).toEqual(
    [...FALSIFIED.map(({ found }) => found), 'a pull is on record twice'].sort(),
  );
});

/** The packument without its first version. */
function withoutFirst(body: Buffer): Buffer {
  const { versions, ...rest } = JSON.parse(body.toString()) as { versions: Record<string, unknown> };
  return Buffer.from(JSON.stringify({ ...rest, versions: Object.fromEntries(Object.entries(versions).slice(1)) }));
}

/** The audit log as the audit reads it. */
function isLog(path: string, body: Buffer): boolean {
  return path === '/api/v2/pulls' && body.includes('\n');
}

function lines(body: Buffer, change: (all: readonly string[]) => readonly string[]): Buffer {
  return Buffer.from(`${change(body.toString().trimEnd().split('\n')).join('\n')}\n`);
}
