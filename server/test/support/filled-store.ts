import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';

export interface Filling {
  readonly count: number;
  /** Bytes of each. */
  readonly size: number;
  /** Of the remote `files`. */
  readonly upstream: string;
  /** When all of them were used last; each later one a millisecond later. Epoch milliseconds. */
  readonly usedAt: number;
}

/** Of the generic remote that has them; as at the upstream. */
export function pathOf(number: number): string {
  return `tools/tool-1.0.${number}.tar.gz`;
}

/** Always the same, and unlike those of every other. */
export function bytesOf(number: number, size: number): Buffer {
  const bytes = Buffer.alloc(size, `${number} `);
  bytes.write(`tool ${number}\n`, 0);
  return bytes;
}

/** Puts artifacts of the remote `files` straight into a data folder that no server uses, as if they had been fetched. */
export async function fillStore(data: string, { count, size, upstream, usedAt }: Filling): Promise<void> {
  const path = join(data, 'entrepot.sqlite');
  const { openSqliteLedger, FOREVER } = await built();
  await (await openSqliteLedger(path)).close();
  const database = new Database(path);
  const blob = database.prepare('INSERT OR IGNORE INTO "blob" ("digest", "size", "created_at") VALUES (?, ?, ?)');
  const object = database.prepare(
    `INSERT INTO "object" ("repository", "path", "format", "kind", "role", "digest", "size", "type", "url", "upstream", "tag",
       "fetched_at", "checked_at", "fresh_until", "used_at")
     VALUES ('files', ?, 'generic', 'artifact', 'package', ?, ?, 'application/gzip', ?, ?, ?, ?, ?, ?, ?)`,
  );
  const record = database.transaction((from: number, digests: readonly string[]) => {
    for (const [at, digest] of digests.entries()) {
      const [number, used] = [from + at, usedAt + from + at];
      blob.run(digest, size, used);
      const tag = digest.slice('sha256:'.length, 'sha256:'.length + 32);
      object.run(
        pathOf(number),
        digest,
        size,
        `${upstream}/${pathOf(number)}`,
        upstream,
        tag,
        used,
        used,
        FOREVER,
        used,
      );
    }
  });
  const step = Math.max(1, Math.min(500, Math.floor(64e6 / size)));
  for (let from = 0; from < count; from += step) {
    const numbers = Array.from({ length: Math.min(step, count - from) }, (_, at) => from + at);
    record(from, await Promise.all(numbers.map((number) => store(data, bytesOf(number, size)))));
  }
  database.close();
}

/** As it is built: Node alone does not run all of the TypeScript. */
async function built(): Promise<
  Pick<typeof import('../../src/ledger/sqlite.ts'), 'openSqliteLedger'> &
    Pick<typeof import('../../src/ledger/ledger.ts'), 'FOREVER'>
> {
  const load = (name: string) => import(`../../dist/ledger/${name}.js`);
  const [{ openSqliteLedger }, { FOREVER }] = await Promise.all(['sqlite', 'ledger'].map(load));
  return { openSqliteLedger, FOREVER };
}

async function store(data: string, bytes: Buffer): Promise<string> {
  const hex = createHash('sha256').update(bytes).digest('hex');
  const folder = join(data, 'blobs', 'sha256', hex.slice(0, 2), hex.slice(2, 4));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, hex), bytes);
  return `sha256:${hex}`;
}
