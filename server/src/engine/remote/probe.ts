import { parse } from '../answer/serve.ts';
import { Fault } from '../fault.ts';
import type { IndexTarget, Place, Target } from '../format.ts';
import { encodePath } from '../path.ts';
import type { Repository } from '../repository.ts';
import type { Source } from '../source.ts';
import { claimsAgainst } from '../virtual/claimed.ts';
import type { Exchange } from './exchange.ts';
import type { RemoteSource } from './remote.ts';

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

export interface Probed {
  readonly repository: Repository;
  readonly remote: RemoteSource;
  readonly exchange: Exchange;
  /** What its address answers with, and puts nothing on record. */
  readonly guarded: Source;
}

/** Nothing is kept, no pull is recorded, the body is not read. A name that is claimed for others is not asked for. */
export async function probe(
  { repository, remote, exchange, guarded }: Probed,
  path: string,
  now: number,
): Promise<Probe> {
  const request = { method: 'GET', path, query: '', accept: undefined };
  const target = parse(repository, request, { base: '', options: repository.options });
  const refused = await refusalOf(guarded, target, now);
  const known = {
    path,
    target: target.kind,
    classification: classified(target, exchange),
    decision: refused
      ? { allowed: false, rule: refused.details.rule ?? '', reason: refused.message }
      : { allowed: true },
  };
  if (refused && claimsAgainst(refused)) return { ...known, failure: refused.message };
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

/** What cannot be told before it is asked for counts as allowed: the answer says why. */
async function refusalOf(guarded: Source, target: Target, now: number): Promise<Fault | undefined> {
  const ask = { now, requestId: 'probe', principal: 'probe', headOnly: true };
  try {
    if (target.kind === 'artifact') await guarded.artifact(target, ask);
    else if (target.kind === 'index') await guarded.index(target, { ...ask, kept: true });
    return undefined;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return error.code === 'withheld' ? error : undefined;
  }
}

/** Cookies are the upstream's business with us. */
function described(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'set-cookie'));
}
