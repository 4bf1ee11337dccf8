import { Fault } from '../fault.ts';
import type {
  AliasTarget,
  ArtifactTarget,
  Body,
  DerivedTarget,
  IndexTarget,
  ProtocolRequest,
  Publication,
  Site,
  Target,
} from '../format.ts';
import type { Advice } from '../guard/advice.ts';
import type { Publisher } from '../hosted/publisher.ts';
import type { Repository } from '../repository.ts';
import type { Ask, CacheState, Content, Listing } from '../source.ts';
import { LostBlob } from '../stored.ts';
import { understood } from '../understood.ts';
import type { Aliases } from './aliases.ts';
import { reasonPhrase } from './http.ts';
import { isRoot, type Pins, type Reader } from './pins.ts';
import type { Rendition, Renditions } from './renditions.ts';

/** What a request is answered with; how it is written is `respond`'s business. */
export type Reply =
  | Indexed
  | (Common & {
      readonly kind: 'content';
      readonly content: Content;
      /** An address to send the client to instead. Throws `Fault`. */
      readonly elsewhere?: () => Promise<string>;
    })
  | (Common & { readonly kind: 'body'; readonly body: Body });

interface Common {
  /** Of the protocol. */
  readonly headers: Readonly<Record<string, string>>;
  /** The next client may get another answer. */
  readonly personal?: boolean;
  /** To be told of everybody else who gets it. */
  readonly noted?: (reader: Reader) => void;
}

interface Indexed extends Common {
  readonly kind: 'rendition';
  readonly rendition: Rendition;
  readonly cache: CacheState;
  readonly freshUntil: number;
}

export interface ServeDeps {
  readonly renditions: Renditions;
  readonly aliases: Aliases;
  readonly pins: Pins;
  readonly advice: Advice;
}

/** From a request to its reply: what is asked for, from whom, in which shape. Throws `Fault`; a refusal is on record then. */
export async function serve(
  repository: Repository,
  target: Target,
  ask: Ask,
  base: string,
  deps: ServeDeps,
): Promise<Reply> {
  try {
    return await served(repository, target, ask, base, deps);
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'withheld') throw error;
    throw await deps.advice.given(await repository.refusals.refused(target, error, ask), repository, ask);
  }
}

async function served(repository: Repository, target: Target, ask: Ask, base: string, deps: ServeDeps): Promise<Reply> {
  switch (target.kind) {
    case 'artifact':
      return contentOf(repository, target, ask);
    case 'index':
      return indexed(repository, target, ask, base, deps);
    case 'call': {
      const body = await repository.source.call(target, ask);
      return { kind: 'body', body, headers: headersOf(repository, target) };
    }
    case 'derived':
      return derived(await indexed(repository, target.of, ask, base, deps), target.as);
    case 'alias':
      return aliased(repository, target, ask, base, deps);
  }
}

async function contentOf(repository: Repository, target: ArtifactTarget, ask: Ask): Promise<Reply> {
  const opened = await (await repository.source.artifact(target, ask)).open();
  return { kind: 'content', content: opened, headers: headersOf(repository, target, opened.digest) };
}

/** What a name means lasts as long as the document that says so. */
async function aliased(
  repository: Repository,
  alias: AliasTarget,
  ask: Ask,
  base: string,
  deps: ServeDeps,
): Promise<Reply> {
  const { target, member, freshUntil, personal, stale, instead } = await deps.aliases.resolve(repository, alias, ask);
  const asked = member === undefined ? ask : { ...ask, member };
  const reply =
    target.kind === 'index'
      ? await indexed(repository, target, asked, base, deps)
      : await contentOf(repository, target, asked);
  const until = freshUntil ?? Number.POSITIVE_INFINITY;
  const common = personal ? { personal } : {};
  const cache = stale ? ({ cache: 'stale' } as const) : {};
  if (reply.kind === 'rendition')
    return { ...reply, ...common, ...cache, freshUntil: Math.min(reply.freshUntil, until) };
  if (reply.kind === 'body') return reply;
  const { content: opened } = reply;
  const headers =
    instead === undefined ? reply.headers : { ...reply.headers, 'x-entrepot-reason': reasonPhrase(instead) };
  const content = { ...opened, ...cache, freshUntil: Math.min(opened.freshUntil, until) };
  return { ...reply, ...common, headers, content };
}

function headersOf(repository: Repository, target: Target, digest?: string): Readonly<Record<string, string>> {
  return repository.format.headers?.(target, digest) ?? {};
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

/**
 * What a request publishes, and who takes it; undefined: it is of another kind. A repository that others publish to forwards
 * nothing: which of its members was meant would be a guess.
 */
export function publicationOf(
  { name, kind, format: { hosting }, publisher }: Repository,
  request: ProtocolRequest,
): { readonly publication: Publication; readonly publisher: Publisher } | undefined {
  if (!hosting || request.method === 'GET' || request.method === 'HEAD') return undefined;
  const publication = understood(() => hosting.receive(request));
  if (!publication) return undefined;
  if (publisher) return { publication, publisher };
  const advice = 'publish to a hosted repository';
  throw new Fault(
    'unsupported',
    `${request.method} is not possible here: "${name}" is a ${kind} repository; ${advice}.`,
  );
}

/** A stored document whose blob is gone was dropped on the way; the second try fetches it anew. */
async function indexed(
  repository: Repository,
  target: IndexTarget,
  ask: Ask,
  base: string,
  deps: ServeDeps,
  again = true,
): Promise<Indexed> {
  const listing = await repository.source.index(target, ask);
  try {
    const rendition = await deps.renditions.of(repository, target, listing, base, ask.now);
    const headers = headersOf(repository, target);
    const common = {
      kind: 'rendition',
      rendition,
      headers,
      cache: listing.cache,
      freshUntil: Math.min(listing.freshUntil, rendition.until),
    } as const;
    const document = listing.members[0]?.documents[0];
    if (!document || !isRoot(target)) return common;
    const noted = (asker: Reader) => deps.pins.remember(repository.name, target, asker, document);
    noted(ask);
    return { ...common, noted };
  } catch (error) {
    if (error instanceof LostBlob && again) return indexed(repository, target, ask, base, deps, false);
    throw error instanceof Fault && error.code === 'withheld' ? judgedBy(error, listing) : error;
  }
}

/** By which revision of the policy, and whose releases they are. */
function judgedBy(fault: Fault, { members }: Listing): Fault {
  const [{ repository, scope } = {}, other] = members;
  const details = {
    ...(repository === undefined || other ? {} : { repository }),
    ...(scope === undefined ? {} : { revision: scope.policy.id }),
    ...fault.details,
  };
  return new Fault(fault.code, fault.message, { cause: fault.options.cause, details });
}
