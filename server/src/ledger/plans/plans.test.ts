import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase } from './open-database.ts';
import { type Column, Ear, everythingSent, filling, grows, mayScan, ROWS, type Sent } from './plans.contract.ts';

let folder: string;
let database: DataSource;
let direct: Database.Database;
const ear = new Ear();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrepot-plans-'));
  const path = join(folder, 'entrepot.sqlite');
  database = await openDatabase({ where: path, logger: ear });
  direct = new Database(path);
  const columns = direct
    .prepare(
      `SELECT m.name AS "table", c.name, c.type, c."notnull" = 0 AS optional FROM sqlite_schema m
       JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'`,
    )
    .all() as Column[];
  const numbers = `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${ROWS})`;
  for (const statement of filling(columns, 'n', (expression) => `(${expression})`))
    direct.exec(statement.replace(' SELECT ', ` ${numbers} SELECT `).concat(' FROM numbers'));
  direct.exec('ANALYZE');
});
afterAll(async () => {
  await database?.destroy();
  direct?.close();
  await rm(folder, { recursive: true });
});

test('no query goes over a whole table that grows', async () => {
  const sent = await everythingSent(database, ear);
  expect(sent.length).toBeGreaterThan(100);
  const scans = sent.filter(({ query }) => !mayScan(query)).flatMap(scansOf);
  expect([...new Set(scans)]).toEqual([]);
});

function scansOf(sent: Sent): string[] {
  const plan = direct.prepare(`EXPLAIN QUERY PLAN ${sent.text}`).all(...sent.parameters.map(bound)) as Step[];
  const isSorted = plan.some(({ detail }) => detail.includes('TEMP B-TREE'));
  return plan
    .filter(({ detail }) => isScan(detail, sent.text, isSorted))
    .map(({ detail }) => `${sent.query}: ${detail} in ${sent.text}`);
}

interface Step {
  readonly detail: string;
}

/** Going in the order of an index, or of the numbers of rows, is fine where few are asked for; so is one that has few rows. */
function isScan(detail: string, text: string, isSorted: boolean): boolean {
  const [, name, index] = /^SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?/.exec(detail) ?? [];
  if (name === undefined || !grows(tableOf(name, text)) || !isTable(tableOf(name, text))) return false;
  const isFirst = /\bLIMIT\b/i.test(text) && !isSorted;
  return index === undefined ? !isFirst || /\bWHERE\b/i.test(text) : !isFirst && !isPartial(index);
}

function tableOf(alias: string, text: string): string {
  return new RegExp(`"(\\w+)"\\s+(?:AS\\s+)?"?${alias}"?[\\s,)]`).exec(`${text} `)?.[1] ?? alias;
}

function isTable(name: string): boolean {
  return direct.prepare(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?`).get(name) !== undefined;
}

function isPartial(index: string): boolean {
  const found = direct.prepare('SELECT sql FROM sqlite_schema WHERE name = ?').get(index) as
    | { sql: string | null }
    | undefined;
  return / WHERE /i.test(found?.sql ?? '');
}

function bound(value: unknown): unknown {
  return typeof value === 'boolean' ? Number(value) : value;
}
