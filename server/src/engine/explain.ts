import type { Age } from '../policy/evidence.ts';
import { nearest } from '../policy/nearest.ts';
import type { Store } from '../store/store.ts';
import { Fault } from './fault.ts';
import type { AnyFormat, IndexTarget } from './format.ts';
import { packageOf } from './purl.ts';
import type { ReleaseVerdict } from './render.ts';
import type { Renderer } from './renderer.ts';
import type { Repository } from './repository.ts';
import type { Ask, Listing } from './source.ts';
import { storing } from './stored.ts';

/** A release of a package, as its package URL says; names as the URL has them. */
export interface AskedRelease {
  readonly type: string;
  readonly namespace?: string;
  readonly name: string;
  readonly version: string;
}

export interface Explained {
  readonly repository: string;
  /** False also where the repository has no such release. */
  readonly allowed: boolean;
  readonly rule?: string;
  readonly reason?: string;
  readonly evidence?: Age;
  /** Epoch milliseconds at which this may change by itself. */
  readonly until?: number;
  /** The version to use instead. */
  readonly nearest?: string;
}

export interface ExplainDeps {
  readonly store: Store;
  readonly renderer: Renderer;
}

/** What the rules say of a release now, asked as a client's index would be. Throws `Fault` where nobody can say. */
export async function explain(
  repository: Repository,
  asked: AskedRelease,
  ask: Ask,
  deps: ExplainDeps,
): Promise<Explained> {
  const { format } = repository;
  for (const name of namesOf(repository, asked)) {
    for (const index of format.roster(name)) {
      const listing = await listed(repository, index, ask);
      if (!listing) continue;
      const verdicts = await judged(format, index, listing, ask, deps);
      return { repository: repository.name, ...told(format, verdicts, asked.version) };
    }
  }
  return { repository: repository.name, allowed: false, reason: `"${repository.name}" lists no such package` };
}

/** How the format may call the package that the URL names. */
function namesOf({ format, options }: Repository, { type, namespace, name }: AskedRelease): readonly string[] {
  const candidates = [...(namespace === undefined ? [] : [`${namespace}/${name}`]), name];
  return candidates.filter((candidate) => {
    const parts = packageOf(format, options, candidate);
    return parts.type === type && (parts.namespace ?? '') === (namespace ?? '') && parts.name === name;
  });
}

async function listed(repository: Repository, index: IndexTarget, ask: Ask): Promise<Listing | undefined> {
  try {
    return await repository.source.index(index, ask);
  } catch (error) {
    if (error instanceof Fault && error.code === 'not_found') return undefined;
    throw error;
  }
}

async function judged(
  format: AnyFormat,
  target: IndexTarget,
  { members }: Listing,
  { now }: Ask,
  { store, renderer }: ExplainDeps,
): Promise<readonly ReleaseVerdict[]> {
  const read = members.map(async ({ documents, ...member }) => ({
    ...member,
    documents: await Promise.all(
      documents.map(async ({ digest, hosted, ...document }) => {
        if (hosted) return { ...document, bytes: hosted, isHosted: true };
        const blob = await storing(store.open(digest));
        if (!blob) throw new Fault('unavailable', `The stored ${target.path} is gone.`, { details: { retryAfter: 1 } });
        return { ...document, bytes: await blob.bytes().finally(() => blob.release()) };
      }),
    ),
  }));
  const answer = await renderer.verdicts({
    format: format.id,
    target,
    members: await Promise.all(read),
    base: '',
    now,
  });
  if (answer.kind === 'malformed')
    throw new Fault('upstream_unavailable', `The index ${target.path} cannot be read: ${answer.message}`);
  return answer.verdicts;
}

function told(format: AnyFormat, verdicts: readonly ReleaseVerdict[], version: string): Omit<Explained, 'repository'> {
  const wanted = format.versions?.canonical(version) ?? version;
  const found = verdicts.find((one) => (format.versions?.canonical(one.version) ?? one.version) === wanted);
  const instead = nearest(
    version,
    verdicts.map((one) => ({
      version: one.version,
      decision: one.refused ? { allowed: false, ...one.refused, kind: 'block' } : { allowed: true },
      ...(one.yanked ? { yanked: true } : {}),
    })),
    format.versions,
  );
  const use = instead === undefined ? {} : { nearest: instead };
  if (!found) return { allowed: false, reason: 'the repository lists no such version', ...use };
  const { refused, until, evidence } = found;
  return {
    allowed: !refused,
    ...refused,
    ...(evidence === undefined ? {} : { evidence }),
    ...(until === undefined ? {} : { until }),
    ...(refused ? use : {}),
  };
}
