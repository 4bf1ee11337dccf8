import { LostBlob } from './documents.ts';
import { Fault } from './fault.ts';
import {
  type Body,
  type DerivedTarget,
  type IndexTarget,
  Malformed,
  type ProtocolRequest,
  type Site,
  type Target,
} from './format.ts';
import type { Rendition, Renditions } from './renditions.ts';
import type { Repository } from './repository.ts';
import type { Ask, CacheState, Content } from './source.ts';

/** What a request is answered with; how it is written is `respond`'s business. */
export type Reply =
  | Indexed
  | { readonly kind: 'content'; readonly content: Content }
  | { readonly kind: 'body'; readonly body: Body };

interface Indexed {
  readonly kind: 'rendition';
  readonly rendition: Rendition;
  readonly cache: CacheState;
  readonly freshUntil: number;
}

/** From a request to its reply: what is asked for, from whom, in which shape. Throws `Fault`. */
export async function serve(
  repository: Repository,
  target: Target,
  ask: Ask,
  base: string,
  renditions: Renditions,
): Promise<Reply> {
  switch (target.kind) {
    case 'artifact': {
      const delivery = await repository.source.artifact(target, ask);
      return { kind: 'content', content: await delivery.open() };
    }
    case 'index':
      return indexed(repository, target, ask, base, renditions);
    case 'call':
      return { kind: 'body', body: await repository.source.call(target, ask) };
    case 'derived':
      return derived(await indexed(repository, target.of, ask, base, renditions), target.as);
    case 'alias':
      throw new Fault('unsupported', `${repository.format.traits.title} repositories do not serve ${target.path} yet.`);
  }
}

/** It must match what we wrote, which is not what the upstream has. */
function derived(reply: Indexed, as: DerivedTarget['as']): Reply {
  if (as === 'signature') throw new Fault('not_found', 'What was rewritten here has no signature of its own.');
  return { ...reply, rendition: reply.rendition.checksum(as) };
}

/** The target, or a fault that says why the request means nothing here. */
export function parse(repository: Repository, request: ProtocolRequest, site: Site): Target {
  const target = understood(() => repository.format.parse(request, site));
  if (!target)
    throw new Fault(
      'not_found',
      `${request.path === '' ? 'The root' : request.path} is nothing that a ${repository.format.traits.title} repository has.`,
    );
  if (request.method !== 'GET' && request.method !== 'HEAD' && target.kind !== 'call') {
    throw new Fault(
      'unsupported',
      `${request.method} is not possible here: "${repository.name}" is a ${repository.kind} repository.`,
    );
  }
  return target;
}

function understood<Result>(parsed: () => Result): Result {
  try {
    return parsed();
  } catch (error) {
    if (error instanceof Malformed) throw new Fault('invalid', `${error.message}.`, { cause: error });
    throw error;
  }
}

/** A stored document whose blob is gone was dropped on the way; the second try fetches it anew. */
async function indexed(
  repository: Repository,
  target: IndexTarget,
  ask: Ask,
  base: string,
  renditions: Renditions,
  again = true,
): Promise<Indexed> {
  const listing = await repository.source.index(target, ask);
  try {
    const rendition = await renditions.of(repository.format.id, target, listing, base);
    return { kind: 'rendition', rendition, cache: listing.cache, freshUntil: listing.freshUntil };
  } catch (error) {
    if (error instanceof LostBlob && again) return indexed(repository, target, ask, base, renditions, false);
    throw error;
  }
}
