import { createHash } from 'node:crypto';
import { FOREVER, type ObjectRow, type PullRow } from './ledger.ts';

/** Rows for tests; every field that is not the point of the test has some value. */

export const digestOf = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

export function objectRow(given: Partial<ObjectRow> = {}): ObjectRow {
  const { name = 'express', version = '4.18.2', repository = 'npm-public' } = given;
  return {
    repository,
    format: 'npm',
    path: `${name}/-/${name}-${version}.tgz`,
    kind: 'artifact',
    role: 'package',
    digest: digestOf(`${name}@${version}`),
    size: 1000,
    type: 'application/octet-stream',
    url: `https://upstream.test/${name}/-/${name}-${version}.tgz`,
    upstream: 'https://upstream.test',
    tag: 'tag',
    fetchedAt: 1000,
    checkedAt: 1000,
    freshUntil: FOREVER,
    name,
    version,
    purl: `pkg:npm/${name}@${version}`,
    ...given,
  };
}

/** `order`: later pulls have greater ones. */
export function pullRow(order: number, given: Partial<PullRow> = {}): PullRow {
  const { package: name = 'pkg:npm/express', version = '4.18.2' } = given;
  const file = name.slice(name.lastIndexOf('/') + 1);
  return {
    id: `00000000-0000-7000-8000-${String(order).padStart(12, '0')}`,
    at: 1_000_000 + order,
    repository: 'npm',
    member: 'npm-public',
    format: 'npm',
    path: `${file}/-/${file}-${version}.tgz`,
    role: 'package',
    package: name,
    version,
    digest: digestOf(`${file}@${version}`),
    size: 1000,
    upstream: 'https://upstream.test',
    cache: 'hit',
    decision: 'allowed',
    principal: 'anonymous',
    client: 'npm/11.0.0',
    address: '127.0.0.1',
    requestId: `request-${order}`,
    ...given,
  };
}
