import { createHash } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { parameter, returned } from './bulk.ts';
import { type ResourceEntity, resources as resourceEntity } from './entities.ts';
import { type ResourceChange, type ResourceRow, RevisionConflict } from './ledger.ts';
import { announce } from './queries-log.ts';

export async function resources(manager: EntityManager): Promise<ResourceRow[]> {
  return (await manager.find(resourceEntity, { order: { kind: 'ASC', name: 'ASC' } })).map(rowOf);
}

/** Resolves to the rows that were put, in the order of the changes. */
export async function change(
  manager: EntityManager,
  changes: readonly ResourceChange[],
  at: number,
): Promise<ResourceRow[]> {
  // Taking the revisions first also makes two changes wait for each other: the counter's row is locked.
  let revision = (await advance(manager, changes.length)) - changes.length;
  const rows: ResourceRow[] = [];
  for (const one of changes) {
    revision += 1;
    const current = await manager.findOneBy(resourceEntity, { kind: one.kind, name: one.name });
    verify(one, current);
    if (one.op === 'delete') await manager.delete(resourceEntity, { kind: one.kind, name: one.name });
    else rows.push(await put(manager, one, current, revision, at));
    await announceChange(manager, one, revision, at);
  }
  return rows;
}

async function put(
  manager: EntityManager,
  change: ResourceChange & { op: 'put' },
  current: ResourceEntity | null,
  revision: number,
  at: number,
): Promise<ResourceRow> {
  const entity: ResourceEntity = {
    kind: change.kind,
    name: change.name,
    spec: JSON.stringify(change.spec),
    revision,
    managedBy: change.managedBy,
    retiring: change.retiring ?? false,
    createdAt: current?.createdAt ?? at,
    updatedAt: at,
  };
  await manager.upsert(resourceEntity, entity, ['kind', 'name']);
  return rowOf(entity);
}

function verify(change: ResourceChange, current: ResourceEntity | null): void {
  const actual = current?.revision ?? 'absent';
  if (change.expect !== undefined && change.expect !== actual) {
    throw new RevisionConflict(change.kind, change.name, actual);
  }
}

async function advance(manager: EntityManager, by: number): Promise<number> {
  const [value, amount] = [`CAST("value" AS bigint)`, `CAST(${parameter(manager, 1)} AS bigint)`];
  const [row] = returned<{ value: string }>(
    await manager.query(
      `UPDATE "fact" SET "value" = CAST(${value} + ${amount} AS text) WHERE "key" = 'ledger.revision' RETURNING "value"`,
      [by],
    ),
  );
  return Number(row?.value);
}

/** Of the spec only its hash: a log is public, a spec may hold credentials. */
async function announceChange(
  manager: EntityManager,
  change: ResourceChange,
  revision: number,
  at: number,
): Promise<void> {
  const { op, kind, name } = change;
  const spec = change.op === 'put' ? createHash('sha256').update(JSON.stringify(change.spec)).digest('hex') : undefined;
  await announce(manager, {
    kind: 'resource.changed',
    about: [revision],
    leaf: { op, kind, name, revision, spec },
    at,
  });
}

function rowOf({ spec, ...row }: ResourceEntity): ResourceRow {
  return { ...row, spec: JSON.parse(spec) };
}
