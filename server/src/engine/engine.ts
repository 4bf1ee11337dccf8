import type { Ledger } from '../ledger/ledger.ts';
import type { Store } from '../store/store.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { PullJournal } from './audited.ts';
import { composeAddress, composeRemote, composeVirtual } from './compose.ts';
import { Exchange, type UpstreamStatus } from './exchange.ts';
import { Fault } from './fault.ts';
import { FileTable } from './file-table.ts';
import type { AnyFormat } from './format.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { Objects } from './objects.ts';
import { canonicalPath } from './path.ts';
import { type Probe, probe } from './probe.ts';
import type { RemoteSource } from './remote.ts';
import { type RemoteSpec, remoteSettings } from './remote-settings.ts';
import type { Renderer } from './renderer.ts';
import { Renditions } from './renditions.ts';
import type { Repository } from './repository.ts';
import type { Source } from './source.ts';
import type { Member } from './virtual.ts';

/** A repository as it is declared, defaults filled in. */
export interface DeclaredRepository {
  readonly kind: 'remote' | 'virtual';
  readonly name: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

export interface EngineDeps {
  readonly formats: ReadonlyMap<string, AnyFormat>;
  readonly store: Store;
  readonly ledger: Ledger;
  readonly upstream: Upstream;
  readonly journal: PullJournal;
  readonly renderer: Renderer;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly now: () => number;
  /** Public registry of a format, for a remote without `url`. */
  readonly publicUpstream: (format: AnyFormat) => string | undefined;
  /** Bytes of memory for renditions. */
  readonly memory: number;
  /** A pull that cannot be put on record at once is not served. */
  readonly strictAudit?: boolean;
}

interface Built extends Repository {
  /** Replaced when something it served was evicted. */
  life: { current: boolean };
  /** Itself and its members. */
  readonly uses: readonly string[];
  /** What it was built from: equal means that it can go on as it is. */
  readonly declared: string;
  readonly guarded: Source;
  readonly remote?: RemoteSource;
  readonly exchange?: Exchange;
}

/** The repositories of the current configuration. A request is answered by the configuration current when it is routed. */
export class Engine {
  readonly renditions: Renditions;
  readonly #deps: EngineDeps;
  readonly #objects: Objects;
  readonly #files = new FileTable();
  #repositories: ReadonlyMap<string, Built> = new Map();

  constructor(deps: EngineDeps) {
    this.#deps = deps;
    this.#objects = new Objects(deps.ledger, deps.store);
    this.renditions = new Renditions({
      store: deps.store,
      objects: this.#objects,
      renderer: deps.renderer,
      memory: deps.memory,
    });
  }

  /** Swaps the configuration whole. What did not change goes on with its memory. */
  configure(declared: readonly DeclaredRepository[]): void {
    const next = new Map<string, Built>();
    for (const one of declared.filter(({ kind }) => kind === 'remote'))
      next.set(one.name, this.#reused(one, []) ?? this.#remote(one));
    for (const one of declared.filter(({ kind }) => kind === 'virtual')) {
      const members = membersOf(one).flatMap((name) => next.get(name) ?? []);
      next.set(one.name, this.#reused(one, members) ?? this.#virtual(one, members));
    }
    const before = this.#repositories;
    this.#repositories = next;
    for (const old of before.values()) {
      if (next.get(old.name) !== old) old.life.current = false;
      if (old.remote && !next.has(old.name)) void this.#empty(old.name);
    }
  }

  repository(name: string): Repository | undefined {
    return this.#repositories.get(name);
  }

  /** Forgets what memory holds of objects that were evicted. */
  evicted(repository: string, paths: readonly string[] | 'all'): void {
    this.#objects.forget(repository, paths);
    if (paths === 'all') this.#files.forget(repository);
    else for (const path of paths) this.#files.forget(repository, path);
    this.#repositories.get(repository)?.remote?.forget(paths);
    for (const built of this.#repositories.values()) {
      if (!built.uses.includes(repository)) continue;
      built.life.current = false;
      built.life = { current: true };
    }
  }

  /** Asks a remote's upstream for a path without a client and without keeping anything. */
  async probe(name: string, path: string): Promise<Probe> {
    const repository = this.#repositories.get(name);
    if (!repository?.exchange || !repository.remote) throw new Fault('not_found', `There is no remote "${name}".`);
    return probe(repository, repository.remote, repository.exchange, canonicalPath(path));
  }

  status(name: string): UpstreamStatus {
    return this.#repositories.get(name)?.exchange?.status() ?? { healthy: true };
  }

  /** What a remote kept goes with it, so that another of its name does not begin with it. */
  async #empty(name: string): Promise<void> {
    this.#objects.forget(name, 'all');
    this.#files.forget(name);
    try {
      const { blobs } = await this.#deps.ledger.evict({ repository: name, all: true });
      for (const digest of blobs) await this.#deps.store.delete(digest);
    } catch (error) {
      this.#deps.log.error('what a deleted remote kept was not removed', { repository: name, error });
    }
  }

  #reused(one: DeclaredRepository, members: readonly Built[]): Built | undefined {
    const known = this.#repositories.get(one.name);
    return known?.declared === declaration(one, members) ? known : undefined;
  }

  #remote(one: DeclaredRepository): Built {
    const format = this.#format(one);
    const { store, ledger, upstream, renderer, log, now, metrics } = this.#deps;
    const settings = remoteSettings(one.name, one.spec as RemoteSpec, format, this.#deps.publicUpstream(format));
    const exchange = new Exchange(settings, upstream, metrics, now);
    const { remote, guarded } = composeRemote({
      settings,
      format,
      exchange,
      store,
      ledger,
      objects: this.#objects,
      renderer,
      files: this.#files,
      log,
      now,
    });
    return { ...this.#built(one, [], format, guarded, settings.options), remote, exchange };
  }

  #virtual(one: DeclaredRepository, members: readonly Built[]): Built {
    const format = this.#format(one);
    const sources: Member[] = members.map(({ name, guarded }) => ({ name, source: guarded }));
    return this.#built(one, members, format, composeVirtual(one.name, format, sources), members[0]?.options ?? {});
  }

  #built(
    one: DeclaredRepository,
    members: readonly Built[],
    format: AnyFormat,
    guarded: Source,
    options: Readonly<Record<string, unknown>>,
  ): Built {
    return {
      name: one.name,
      kind: one.kind,
      format,
      options,
      guarded,
      source: composeAddress(guarded, one.name, format, this.#deps),
      life: { current: true },
      uses: [one.name, ...members.flatMap(({ uses }) => uses)],
      declared: declaration(one, members),
    };
  }

  #format(one: DeclaredRepository): AnyFormat {
    const format = this.#deps.formats.get(String(one.spec['format']));
    if (!format) throw new Error(`repository "${one.name}" has the unknown format "${String(one.spec['format'])}"`);
    return format;
  }
}

function membersOf(one: DeclaredRepository): readonly string[] {
  return (one.spec['members'] ?? []) as readonly string[];
}

function declaration(one: DeclaredRepository, members: readonly Built[]): string {
  return [JSON.stringify([one.kind, one.name, one.spec]), ...members.map(({ declared }) => declared)].join('\n');
}
