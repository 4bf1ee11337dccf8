import { refusal } from '../policy/rules.ts';
import type { Exchange } from './exchange.ts';
import { Fault } from './fault.ts';
import type { IndexTarget, Place, Target } from './format.ts';
import { encodePath } from './path.ts';
import type { Repository } from './repository.ts';

/** What an upstream answers to a path, and what the repository would make of it. */
export interface Probe {
  readonly path: string;
  readonly target: Target['kind'];
  /** Whether the bytes may change under that name. */
  readonly classification: 'mutable' | 'immutable' | 'passed_on';
  /** The upstream's own, after redirects. */
  readonly status?: number;
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds. */
  readonly timings?: { readonly connect?: number; readonly firstByte: number };
  /** Why there was no answer. */
  readonly failure?: string;
  readonly decision: { readonly allowed: boolean; readonly rule?: string; readonly reason?: string };
}

/** Nothing is kept, no pull is recorded, the body is not read. */
export async function probe(repository: Repository, exchange: Exchange, path: string): Promise<Probe> {
  const target = repository.format.parse(
    { method: 'GET', path, query: '', accept: undefined },
    { base: '', options: repository.options },
  );
  if (!target)
    throw new Fault('invalid', `${path} is nothing that a ${repository.format.traits.title} repository has.`);
  const known = {
    path,
    target: target.kind,
    classification: classified(target, exchange),
    decision: decided(target, exchange),
  };
  const place = placesOf(repository, target)[0] ?? { path: encodePath(target.path) };
  try {
    const response = await exchange.send(place, {});
    await response.discard();
    return {
      ...known,
      status: response.status,
      url: response.url,
      headers: described(response.headers),
      timings: response.timings,
    };
  } catch (error) {
    if (error instanceof Fault) return { ...known, failure: error.message };
    throw error;
  }
}

function placesOf(repository: Repository, target: Target): readonly Place[] {
  if (target.kind === 'call') return target.place ? [target.place] : [];
  if (target.kind === 'artifact' || target.kind === 'index')
    return repository.format.locate?.(target, { base: '', options: repository.options }) ?? [];
  const of: IndexTarget = target.of;
  return repository.format.locate?.(of, { base: '', options: repository.options }) ?? [{ path: encodePath(of.path) }];
}

function classified(target: Target, exchange: Exchange): Probe['classification'] {
  if (target.kind === 'call') return 'passed_on';
  if (target.kind !== 'artifact') return 'mutable';
  return exchange.settings.termsOf(target) === 'immutable' ? 'immutable' : 'mutable';
}

function decided(target: Target, exchange: Exchange): Probe['decision'] {
  const { rules } = exchange.settings;
  if (target.kind !== 'artifact' || !rules) return { allowed: true };
  const refused = refusal(
    target.name === undefined ? { path: target.path } : { path: target.path, name: target.name },
    [rules],
  );
  return refused ? { allowed: false, ...refused } : { allowed: true };
}

/** Cookies are the upstream's business with us. */
function described(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'set-cookie'));
}
