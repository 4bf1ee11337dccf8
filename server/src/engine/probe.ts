import { refusal } from '../policy/rules.ts';
import type { Exchange } from './exchange.ts';
import { Fault } from './fault.ts';
import type { IndexTarget, Place, Target } from './format.ts';
import { encodePath } from './path.ts';
import type { RemoteSource } from './remote.ts';
import type { Repository } from './repository.ts';
import { parse } from './serve.ts';

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
export async function probe(
  repository: Repository,
  remote: RemoteSource,
  exchange: Exchange,
  path: string,
): Promise<Probe> {
  const request = { method: 'GET', path, query: '', accept: undefined };
  const target = parse(repository, request, { base: '', options: repository.options });
  const known = {
    path,
    target: target.kind,
    classification: classified(target, exchange),
    decision: decided(target, exchange),
  };
  try {
    const place = await placeOf(remote, target);
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

async function placeOf(remote: RemoteSource, target: Target): Promise<Place> {
  const places = await placesFor(remote, target);
  return places[0] ?? { path: encodePath(target.path) };
}

async function placesFor(remote: RemoteSource, target: Target): Promise<readonly Place[]> {
  switch (target.kind) {
    case 'artifact':
    case 'index':
      return remote.placesOf(target);
    case 'call':
      return target.place ? [target.place] : [];
    case 'derived':
      return remote.placesOf(target.of);
    case 'alias':
      return remote.placesOf(target.of[0] as IndexTarget);
  }
}

function classified(target: Target, exchange: Exchange): Probe['classification'] {
  if (target.kind === 'call') return 'passed_on';
  if (target.kind !== 'artifact') return 'mutable';
  return exchange.settings.termsOf(target) === 'immutable' ? 'immutable' : 'mutable';
}

function decided(target: Target, exchange: Exchange): Probe['decision'] {
  const { rules } = exchange.settings;
  if (target.kind !== 'artifact' || !rules) return { allowed: true };
  const refused = refusal(target, [rules]);
  return refused ? { allowed: false, ...refused } : { allowed: true };
}

/** Cookies are the upstream's business with us. */
function described(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'set-cookie'));
}
