import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { LRUCache } from 'lru-cache';
import type { Store } from '../../store/store.ts';
import { Fault } from '../fault.ts';
import { Flights } from '../flight.ts';
import type { Algorithm, IndexTarget } from '../format.ts';
import { grownCache } from '../grown-cache.ts';
import type { Objects } from '../objects.ts';
import type { Repository } from '../repository.ts';
import type { Listing, MemberListing } from '../source.ts';
import { stored } from '../stored.ts';
import { type Findings, NOTHING } from '../watch/findings.ts';
import type { Refused, Rendered } from './render.ts';
import type { Renderer } from './renderer.ts';

export type Encoding = 'identity' | 'gzip' | 'br';

/** Below this many bytes compressing saves no packet. */
const WORTH_COMPRESSING = 1024;
/** Renditions larger than this are kept apart, a few at a time, so that they do not displace all others. */
const GIANT = 16 * 1024 * 1024;

/** For what never changes. */
export const IMMUTABLE = 'private, max-age=31536000, immutable';

/** An index as one kind of client gets it, encoded once and compressed at most once per encoding. */
export class Rendition {
  readonly #encoded = new Map<Encoding, Promise<Buffer>>();
  readonly #checksums = new Map<Algorithm, Rendition>();

  constructor(
    readonly bytes: Buffer,
    readonly type: string,
    readonly hash: string,
    readonly headers: Readonly<Record<string, string>>,
    /** The upstream's own bytes, unchanged: since when they are what they are, as an HTTP date. */
    readonly lastModified?: string,
    /** Epoch milliseconds at which a decision in it may change. */
    readonly until = Number.POSITIVE_INFINITY,
  ) {}

  /** The encoding to answer with: none where it saves nothing. */
  best(accepted: readonly Encoding[]): Encoding {
    return this.lastModified !== undefined || this.bytes.length < WORTH_COMPRESSING
      ? 'identity'
      : (accepted[0] ?? 'identity');
  }

  encoded(encoding: Encoding): Promise<Buffer> {
    if (encoding === 'identity') return Promise.resolve(this.bytes);
    const known = this.#encoded.get(encoding);
    if (known) return known;
    const encoded =
      encoding === 'gzip'
        ? gzipped(this.bytes)
        : brotlied(this.bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } });
    this.#encoded.set(encoding, encoded);
    return encoded;
  }

  /** The checksum file of these bytes: lower-case hex without a line end, as Maven repositories have it. */
  checksum(algorithm: Algorithm): Rendition {
    const known = this.#checksums.get(algorithm);
    if (known) return known;
    const bytes = Buffer.from(createHash(algorithm).update(this.bytes).digest('hex'));
    const checksum = new Rendition(bytes, 'text/plain', `${algorithm}-${this.hash}`, {});
    this.#checksums.set(algorithm, checksum);
    return checksum;
  }

  /** Strong, of our own, different for each encoding (RFC 9110 §8.8.3.3). Without quotes. */
  tag(encoding: Encoding): string {
    return encoding === 'identity' ? this.hash.slice(0, 40) : `${this.hash.slice(0, 40)}-${encoding}`;
  }
}

const gzipped = promisify(gzip) as (bytes: Buffer) => Promise<Buffer>;
const brotlied = promisify(brotliCompress) as (
  bytes: Buffer,
  options: { params: Record<number, number> },
) => Promise<Buffer>;

/** The repository whose address was asked. */
type Asked = Pick<Repository, 'name' | 'format'>;

export interface RenditionDeps {
  readonly store: Store;
  readonly objects: Objects;
  readonly renderer: Renderer;
  /** Bytes of memory for renditions. */
  readonly memory: number;
  /** Something that a person should look at. */
  readonly found: (asked: string, findings: Findings, target: IndexTarget, listing: Listing) => void;
}

/** Renditions by what they are made of: another configuration, another upstream document or another base is another key. */
export class Renditions {
  readonly #deps: RenditionDeps;
  readonly #kept: LRUCache<string, Rendition>;
  readonly #giants = new LRUCache<string, Rendition>({ max: 2, ttl: 10 * 60_000, ttlAutopurge: true });
  readonly #refused = grownCache<{ readonly fault: Fault; readonly until: number }>(10_000);
  readonly #flights = new Flights<Rendition>();

  constructor(deps: RenditionDeps) {
    this.#deps = deps;
    this.#kept = new LRUCache({
      maxSize: deps.memory,
      sizeCalculation: (rendition) => rendition.bytes.length * 2 + 512,
    });
  }

  /** Bytes of memory that hold renditions. */
  get used(): number {
    return this.#kept.calculatedSize;
  }

  /** Throws `withheld` when policy leaves nothing, `not_found` when the index has no such view, `LostBlob`. */
  async of(asked: Asked, target: IndexTarget, listing: Listing, base: string, now: number): Promise<Rendition> {
    const key = keyOf(asked.format.id, target, listing, base);
    const known = this.#kept.get(key) ?? this.#giants.get(key);
    if (known && now < known.until) return known;
    const refused = this.#refused.get(key);
    if (refused && now < refused.until) throw refusedAgain(refused.fault);
    return this.#flights.run(key, async () => {
      const rendition = await this.#render(asked, target, listing, base, now).catch((error: unknown) => {
        if (error instanceof Withheld) this.#refused.set(key, { fault: error, until: error.until });
        throw error;
      });
      (rendition.bytes.length > GIANT ? this.#giants : this.#kept).set(key, rendition);
      return rendition;
    });
  }

  /** Bytes that a client checks against a signature or a digest. */
  async #unchanged({ path, digest: named }: IndexTarget, { repository, documents }: MemberListing): Promise<Rendition> {
    const [document] = documents;
    if (!document) throw new Fault('not_found', `"${repository}" has no ${path}.`);
    const { digest, type, since, lastModified } = document;
    const bytes = await stored(this.#deps, { repository, path: document.target.path, digest, size: document.size });
    const hash = digest.slice(digest.indexOf(':') + 1);
    const immutable = named === undefined ? {} : { 'cache-control': IMMUTABLE };
    return new Rendition(bytes, type, hash, immutable, lastModified ?? new Date(since).toUTCString());
  }

  async #render(asked: Asked, target: IndexTarget, listing: Listing, base: string, now: number): Promise<Rendition> {
    const [owner] = listing.members;
    if (target.opaque && owner) return this.#unchanged(target, owner);
    const members = await Promise.all(
      listing.members.map(async ({ repository, documents, rules, options, foreign, scope }) => ({
        rules,
        options,
        ...(foreign === undefined ? {} : { foreign }),
        ...(scope === undefined ? {} : { scope }),
        documents: await Promise.all(
          documents.map(async (document) => ({
            target: document.target,
            type: document.type,
            url: document.url,
            ...(document.lastModified === undefined ? {} : { lastModified: document.lastModified }),
            ...(document.hosted === undefined ? {} : { isHosted: true }),
            bytes:
              document.hosted ?? (await stored(this.#deps, { ...document, repository, path: document.target.path })),
          })),
        ),
      })),
    );
    const rendered = await this.#deps.renderer.render({ format: asked.format.id, target, members, base, now });
    if (rendered.kind === 'rendered' && (rendered.findings || members.length > 1))
      this.#deps.found(asked.name, rendered.findings ?? NOTHING, target, listing);
    return finished(rendered, target);
  }
}

function finished(rendered: Rendered, target: IndexTarget): Rendition {
  switch (rendered.kind) {
    case 'rendered': {
      const bytes = Buffer.from(rendered.bytes.buffer, rendered.bytes.byteOffset, rendered.bytes.byteLength);
      return new Rendition(
        bytes,
        rendered.body.type,
        rendered.hash,
        rendered.body.headers ?? {},
        undefined,
        rendered.until,
      );
    }
    case 'withheld':
      throw new Withheld(rendered.refused, target, rendered.until ?? Number.POSITIVE_INFINITY);
    case 'no_such_view':
      throw new Fault('not_found', `${target.name ?? target.path} has no ${target.view.replace(':', ' ')}.`);
    case 'malformed':
      throw new Fault('upstream_unavailable', `The index ${target.path} cannot be read: ${rendered.message}`);
  }
}

/** Policy leaves nothing of the index. */
class Withheld extends Fault {
  constructor(
    refused: Refused,
    { name }: IndexTarget,
    /** Epoch milliseconds at which a decision about it may change. */
    readonly until: number,
  ) {
    const { rule, reason, version, evidence, until: end } = refused;
    super('withheld', `${reason}.`, {
      details: {
        rule,
        package: name,
        version,
        ...(evidence === undefined ? {} : { evidence }),
        ...(end === undefined ? {} : { until: end }),
      },
    });
  }
}

/** What is added to a fault on its way to one client is not told to the next. */
const refusedAgain = ({ code, message, details }: Fault): Fault =>
  new Fault(code, message, { details: { ...details } });

function keyOf(format: string, target: IndexTarget, listing: Listing, base: string): string {
  const hash = createHash('sha1').update(JSON.stringify([format, target.path, target.view, base]));
  for (const member of listing.members) {
    hash.update(
      JSON.stringify([
        member.repository,
        member.rules,
        member.options,
        member.scope?.policy.id,
        member.scope?.repositories,
        member.scope?.firstParty,
        member.foreign,
        member.scope?.dates?.id,
        member.scope?.meanings?.id,
      ]),
    );
    for (const document of member.documents) hash.update(`${document.digest} ${document.lastModified ?? ''}`);
  }
  return hash.digest('base64');
}
