import type { PullRow } from './ledger.ts';

type Shape = Readonly<Record<keyof PullRow, 'string' | 'integer' | 'boolean'>>;

const SHAPE: Shape = {
  id: 'string',
  at: 'integer',
  repository: 'string',
  format: 'string',
  path: 'string',
  role: 'string',
  package: 'string',
  version: 'string',
  digest: 'string',
  size: 'integer',
  member: 'string',
  upstream: 'string',
  cache: 'string',
  decision: 'string',
  rule: 'string',
  observed: 'string',
  verdict: 'string',
  principal: 'string',
  consumer: 'string',
  client: 'string',
  address: 'string',
  requestId: 'string',
  aborted: 'boolean',
};
const FIELDS = Object.entries(SHAPE);

const REQUIRED: ReadonlySet<string> = new Set<keyof PullRow>([
  'id',
  'at',
  'repository',
  'format',
  'path',
  'role',
  'cache',
  'decision',
  'principal',
  'requestId',
]);

/** Undefined when the line is no pull: it would be refused by the database, and every row behind it with it. */
export function parsePull(line: string): PullRow | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  return isPull(value) ? value : undefined;
}

function isPull(value: unknown): value is PullRow {
  if (typeof value !== 'object' || value === null) return false;
  const fields = value as Record<string, unknown>;
  return FIELDS.every(([name, type]) => {
    const field = fields[name];
    if (field === undefined) return !REQUIRED.has(name);
    return type === 'integer' ? Number.isSafeInteger(field) : typeof field === type;
  });
}
