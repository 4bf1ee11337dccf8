import { setTimeout as delay } from 'node:timers/promises';
import { Fault } from '../fault.ts';
import type { ArtifactTarget, IndexTarget, Part } from '../format.ts';
import type { Objects } from '../objects.ts';

export interface GenerationDeps {
  readonly repository: string;
  readonly objects: Objects;
  /** Fetches a document or file that is not here yet, and verifies it; `again`: also when it is here. */
  readonly take: (target: IndexTarget | ArtifactTarget, again: boolean) => Promise<void>;
}

/** Parts fetched side by side. */
const WIDTH = 6;

/**
 * A root is published only with its parts: those that the format wants at once, and those of which clients use the one
 * before. Throws `upstream_unavailable` when one of them is of another generation or cannot be had: the upstream is being
 * published to, and the root that is here stays.
 */
export async function complete(
  root: IndexTarget,
  parts: readonly Part[],
  before: readonly Part[],
  deps: GenerationDeps,
): Promise<void> {
  const used = await inUse(before, deps);
  const wanted = parts.filter(({ path, when }) => when === 'now' || used.has(path));
  for (let start = 0; start < wanted.length; start += WIDTH)
    await Promise.all(wanted.slice(start, start + WIDTH).map((part) => take(root, part, deps)));
}

async function inUse(before: readonly Part[], { repository, objects }: GenerationDeps): Promise<ReadonlySet<string>> {
  const used = new Set<string>();
  for (const { path, target } of before) if (await objects.get(repository, target.path)) used.add(path);
  return used;
}

/** One that the upstream does not have is passed over: a root may list what nobody can fetch (Debian's unpacked Packages). */
async function take(root: IndexTarget, { path, target }: Part, deps: GenerationDeps): Promise<void> {
  try {
    await deps.take(target, target.digest === undefined);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    if (error.code === 'not_found') return;
    throw new Fault(
      'upstream_unavailable',
      `The upstream of "${deps.repository}" is being changed: its ${path} does not belong to its ${root.path}.`,
      { cause: error, details: { retryAfter: 2, incomplete: true } },
    );
  }
}

/** Without an older root to serve meanwhile: how often an upstream that is being published to is asked, and after how long. */
const TRIES = 4;
const BETWEEN_TRIES = 300;

export async function whilePublishing<Result>(ask: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof Fault) || error.details['incomplete'] !== true || tries === TRIES) throw error;
      await delay(tries * BETWEEN_TRIES);
    }
  }
}
