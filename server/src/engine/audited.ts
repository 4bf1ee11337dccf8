import { randomFillSync } from 'node:crypto';
import { v7 as uuid } from 'uuid';
import type { PullRow } from '../ledger/ledger.ts';
import { Fault } from './fault.ts';
import type { AnyFormat, ArtifactTarget, Body, CallTarget, IndexTarget, Target } from './format.ts';
import { grownCache } from './grown-cache.ts';
import { columnsOf, rulingOfFault } from './guard/ruling.ts';
import type { Metrics } from './metrics.ts';
import { packageUrlIfAny } from './purl.ts';
import { quoted } from './quoted.ts';
import type { Ask, Asker, Content, Delivery, FileFacts, Listing, Source } from './source.ts';

/**
 * Where pulls are put on record. `done` runs once the row has been written to the journal; with an error when it could not
 * be, and is only held in memory until it can.
 */
export interface PullJournal {
  appendThen(row: PullRow, done: (error?: Error) => void): void;
  /** The row as JSON: its id, and its other members without the braces. */
  appendRaw(id: string, members: string, done: (error?: Error) => void): void;
}

/** A client's ranges of one file are one pull when they follow each other within this time, in milliseconds. */
const ONE_TRANSFER = 10 * 60_000;
/** Who asks for the same refused index again within this time is told of the same decision, in milliseconds. */
const ONE_REFUSAL = 60 * 60_000;

/** Puts refusals on record. */
export interface Refusals {
  /** The fault with the id of the decision; each is on record once. */
  refused(target: Target, fault: Fault, ask: Ask): Promise<Fault>;
}

export interface AuditDeps {
  readonly journal: PullJournal;
  readonly metrics: Metrics;
  /** A pull that cannot be put on record at once is not served. */
  readonly strictAudit?: boolean;
}

/** Puts every artifact served or refused on record, one row each, and every refused index. */
export class AuditedSource implements Source, Refusals {
  readonly #partial = grownCache<true>(10_000, { ttl: ONE_TRANSFER });
  readonly #indexes = grownCache<string>(10_000, { ttl: ONE_REFUSAL });

  constructor(
    readonly inner: Source,
    readonly repository: string,
    readonly format: AnyFormat,
    readonly options: Readonly<Record<string, unknown>>,
    readonly deps: AuditDeps,
  ) {}

  index(target: IndexTarget, ask: Ask): Promise<Listing> {
    return this.inner.index(target, ask);
  }

  call(target: CallTarget, ask: Ask): Promise<Body> {
    return this.inner.call(target, ask);
  }

  async artifact(target: ArtifactTarget, ask: Ask): Promise<Delivery> {
    try {
      const delivery = await this.inner.artifact(target, ask);
      return { ...delivery, open: async () => this.#recorded(delivery, await delivery.open(), ask) };
    } catch (error) {
      if (error instanceof Fault && error.code === 'withheld') throw await this.refused(target, error, ask);
      throw error;
    }
  }

  async refused(target: Target, fault: Fault, ask: Ask): Promise<Fault> {
    if (fault.details.decision !== undefined) return fault;
    const file = fileOf(target, fault);
    this.deps.metrics.decision(this.repository, fault.details.rule, 'refused');
    const key = [file.path, target.kind === 'index' ? target.view : '', fault.details.rule, ...whoOf(ask)].join('\0');
    const known = file.role === 'index' ? this.#indexes.get(key) : undefined;
    const decision = known ?? newId();
    const details = { ...fault.details, decision };
    const decided = new Fault(fault.code, fault.message, { cause: fault.options.cause, details });
    if (known !== undefined) return decided;
    if (file.role === 'index') this.#indexes.set(key, decision);
    const { repository, member = repository } = fault.details;
    const row: PullRow = {
      id: decision,
      ...this.#subject(file),
      ...identity(ask),
      repository: this.repository,
      format: this.format.id,
      decision: 'refused',
      cache: 'none',
      ...(typeof member === 'string' ? { member: typeof repository === 'string' ? repository : member } : {}),
      ...columnsOf(rulingOfFault(fault)),
    };
    await new Promise<void>((resolve) => this.deps.journal.appendThen(row, () => resolve()));
    return decided;
  }

  #recorded(delivery: Delivery, content: Content, ask: Ask): Content {
    const { journal, strictAudit = false } = this.deps;
    const facts = this.#facts(delivery, content);
    const told = (done: (error?: Error) => void) => (error?: Error) => done(strictAudit ? error : undefined);
    // Later hits differ in who asks and when; the rest is written as JSON once.
    let known: string | undefined;
    return {
      ...content,
      settle: async ({ aborted }) => {
        await content.settle({ aborted });
        if (ask.headOnly || this.#continues(ask, facts.path, content.tag)) return;
        this.#count(delivery);
        const row = { id: newId(), ...identity(ask), ...facts, cache: content.cache, ...(aborted ? { aborted } : {}) };
        await new Promise<void>((resolve, reject) =>
          journal.appendThen(
            row,
            told((error) => (error ? reject(error) : resolve())),
          ),
        );
      },
      record: (asker, done) => {
        known ??= membersOf({ ...facts, cache: 'hit' });
        this.#count(delivery);
        journal.appendRaw(newId(), `${askerMembers(asker)},${known}`, told(done));
      },
    };
  }

  #count({ ruling }: Delivery): void {
    if (!ruling) return;
    const { metrics } = this.deps;
    if (ruling.rule !== undefined) metrics.decision(this.repository, ruling.rule, 'exempted');
    for (const { rule } of ruling.observed ?? []) metrics.decision(this.repository, rule, 'observed');
  }

  #facts(delivery: Delivery, content: Content): Pulled {
    return {
      ...this.#subject(delivery.file),
      repository: this.repository,
      format: this.format.id,
      decision: 'allowed',
      member: delivery.repository,
      ...(delivery.upstream === undefined ? {} : { upstream: delivery.upstream }),
      ...(content.digest === undefined ? {} : { digest: content.digest }),
      ...(content.body.size === undefined ? {} : { size: content.body.size }),
      ...columnsOf(delivery.ruling),
    };
  }

  #subject(file: Subject): Pick<PullRow, 'path' | 'role' | 'package' | 'version'> {
    const name = file.name === undefined ? undefined : packageUrlIfAny(this.format, this.options, file.name);
    return {
      path: file.path,
      role: file.role,
      ...(name === undefined ? {} : { package: name }),
      ...(file.version === undefined ? {} : { version: file.version }),
    };
  }

  /** A later part of a transfer that is on record already. */
  #continues(ask: Ask, path: string, tag: string): boolean {
    if (ask.range === undefined) return false;
    const key = [path, tag, ask.principal, ask.address, ask.client].join('\0');
    const known = this.#partial.has(key);
    this.#partial.set(key, true);
    return known;
  }
}

type Subject = Pick<FileFacts, 'path' | 'name' | 'version'> & Pick<PullRow, 'role'>;

function fileOf(target: Target, { details }: Fault): Subject {
  const asked = target.kind === 'derived' ? target.of : target;
  const { package: name = 'name' in asked ? asked.name : undefined, version } = details;
  return {
    path: target.kind === 'derived' ? `${target.of.path}.${target.as}` : target.path,
    role: target.kind === 'artifact' ? target.role : 'index',
    ...(name === undefined ? {} : { name }),
    ...(version === undefined ? {} : { version }),
  };
}

function whoOf({ principal, consumer, address }: Ask): readonly (string | undefined)[] {
  return [principal, consumer, address];
}

type Identity = 'at' | 'principal' | 'consumer' | 'client' | 'address' | 'requestId';
type Pulled = Omit<PullRow, Identity | 'id' | 'cache' | 'aborted'>;

function identity(asker: Asker): Pick<PullRow, Identity> {
  return {
    at: asker.now,
    principal: asker.principal,
    requestId: asker.requestId,
    ...(asker.consumer === undefined ? {} : { consumer: asker.consumer }),
    ...(asker.client === undefined ? {} : { client: asker.client }),
    ...(asker.address === undefined ? {} : { address: asker.address }),
  };
}

/** As `identity`, written as JSON: the texts in it come again and again. */
function askerMembers({ now, requestId, principal, consumer, client, address }: Asker): string {
  const optional = `${member('consumer', consumer)}${member('client', client)}${member('address', address)}`;
  return `"at":${now},"requestId":"${requestId}","principal":${quoted(principal)}${optional}`;
}

function member(name: string, text: string | undefined): string {
  return text === undefined ? '' : `,"${name}":${quoted(text)}`;
}

function membersOf(row: object): string {
  return JSON.stringify(row).slice(1, -1);
}

function newId(): string {
  return uuid({ rng: randomBytesOfPool });
}

const POOL = Buffer.alloc(16 * 4096);
let drawn = POOL.length;

/** Sixteen bytes of randomness: asked of the system for thousands of rows at once, since each call of it costs a row's worth. */
function randomBytesOfPool(): Uint8Array {
  if (drawn === POOL.length) {
    randomFillSync(POOL);
    drawn = 0;
  }
  drawn += 16;
  return POOL.subarray(drawn - 16, drawn);
}
