import type { Age } from '../../policy/evidence.ts';
import { nearest } from '../../policy/nearest.ts';
import type { Store } from '../../store/store.ts';
import type { ReleaseVerdict } from '../answer/render.ts';
import type { Renderer } from '../answer/renderer.ts';
import { Fault } from '../fault.ts';
import type { AnyFormat, IndexTarget } from '../format.ts';
import { packageOf } from '../purl.ts';
import type { Repository } from '../repository.ts';
import type { Ask, Listing } from '../source.ts';
import { storing } from '../stored.ts';
import { claimsAgainst } from '../virtual/claimed.ts';

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
  /** Whom to ask about a refusal. */
  readonly help?: string;
}

export interface ExplainDeps {
  readonly store: Store;
  readonly renderer: Renderer;
}

/** The repository that clients usually ask for packages of a type: at the format's own mount, else the first by kind and name. */
export function usualFor(type: string, repositories: Iterable<Repository>): Repository | undefined {
  const all = [...repositories].filter(({ format }) => format.traits.purl === type);
  const rank = ({ kind, name, format }: Repository): string =>
    `${name === format.traits.mount ? 0 : 1}${['virtual', 'hosted', 'remote'].indexOf(kind)} ${name}`;
  return all.sort((one, other) => (rank(one) < rank(other) ? -1 : 1))[0];
}

/** What the rules say of a release now, asked as a client's index would be. Throws `Fault` where nobody can say. */
export async function explain(
  repository: Repository,
  asked: AskedRelease,
  ask: Ask,
  deps: ExplainDeps,
): Promise<Explained> {
  try {
    return await explained(repository, asked, ask, deps);
  } catch (error) {
    if (!(error instanceof Fault) || !claimsAgainst(error)) throw error;
    const { rule } = error.details;
    const reason = error.message.replace(/\.$/, '');
    return { repository: repository.name, allowed: false, reason, ...(rule === undefined ? {} : { rule }) };
  }
}

async function explained(repository: Repository, asked: AskedRelease, ask: Ask, deps: ExplainDeps): Promise<Explained> {
  const { format } = repository;
  const { version } = asked;
  for (const name of namesOf(repository, asked)) {
    let best: Answer | undefined;
    for (const index of indexesOf(format, name, version)) {
      const listing = await listed(repository, index, ask);
      if (!listing) continue;
      const found = told(format, await judged(format, index, listing, ask, deps), version);
      best = best ? better(best, found) : found;
      if (best.isListed && best.evidence?.source !== 'none') break;
    }
    if (best) {
      const { isListed: _, ...answer } = best;
      return { repository: repository.name, ...answer };
    }
  }
  return { repository: repository.name, allowed: false, reason: unlisted(repository, asked) };
}

function unlisted({ name, format }: Repository, asked: AskedRelease): string {
  if (format.roster(asked.name).length > 0) return `"${name}" lists no such package`;
  return `nothing in "${name}" says which releases of a package there are: what the rules make of a file shows when it is asked for`;
}

type Answer = Omit<Explained, 'repository'> & { readonly isListed: boolean };

/** What is about the version alone knows more of it than a list, and no other version. */
function better(list: Answer, own: Answer): Answer {
  if (!own.isListed) return list;
  return own.allowed || list.nearest === undefined ? own : { ...own, nearest: list.nearest };
}

/** The package's roster, then what there is about the version alone: some are in no list (Go's versions of a commit). */
function indexesOf(format: AnyFormat, name: string, version: string): readonly IndexTarget[] {
  const own: IndexTarget = { kind: 'index', path: '', name, scope: 'package', view: `version:${version}` };
  const indexes = [...format.roster(name), ...format.roster(name, own)];
  return [...new Map(indexes.map((index) => [index.path, index])).values()];
}

/**
 * The version of a package to use instead of one that is refused, as far as what is here says. Undefined: nothing here knows
 * of any. Throws `Fault` where what is here cannot be read.
 */
export async function instead(
  repository: Repository,
  { name, version }: { readonly name: string; readonly version: string },
  ask: Ask,
  deps: ExplainDeps,
): Promise<string | undefined> {
  const { format } = repository;
  for (const index of format.roster(name)) {
    const listing = await listed(repository, index, { ...ask, kept: true });
    if (listing) return nearestOf(format, await judged(format, index, listing, ask, deps), version);
  }
  return undefined;
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
  const read = members.map(async ({ documents, rules, options, scope }) => ({
    rules,
    options,
    ...(scope === undefined ? {} : { scope }),
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

const useOf = (nearest: string | undefined): Pick<Explained, 'nearest'> => (nearest === undefined ? {} : { nearest });

function told(format: AnyFormat, verdicts: readonly ReleaseVerdict[], version: string): Answer {
  const wanted = format.versions?.canonical(version) ?? version;
  const found = verdicts.find((one) => (format.versions?.canonical(one.version) ?? one.version) === wanted);
  const use = useOf(nearestOf(format, verdicts, version));
  if (!found) return { isListed: false, allowed: false, reason: 'the repository lists no such version', ...use };
  const { refused, because, until, evidence } = found;
  return {
    isListed: true,
    allowed: !refused,
    ...because,
    ...refused,
    ...(evidence === undefined ? {} : { evidence }),
    ...(until === undefined ? {} : { until }),
    ...(refused ? use : {}),
  };
}

/** A moving name stands for no version. */
function nearestOf(format: AnyFormat, verdicts: readonly ReleaseVerdict[], version: string): string | undefined {
  const versions = verdicts.filter(({ unresolved }) => unresolved === undefined);
  return nearest(
    version,
    versions.map((one) => ({
      version: one.version,
      decision: one.refused ? { allowed: false, ...one.refused, kind: 'block' } : { allowed: true },
      ...(one.yanked ? { yanked: true } : {}),
    })),
    format.versions,
  );
}
