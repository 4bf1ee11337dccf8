import type { Evicted, Ledger, ObjectFilter } from '../ledger/ledger.ts';
import type { Store } from '../store/store.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { Aliases } from './aliases.ts';
import type { PullJournal } from './audited.ts';
import { composeAddress, composeHosted, composePolicy, composeRemote, composeVirtual } from './compose.ts';
import { Exchange, type UpstreamStatus } from './exchange.ts';
import { type AskedRelease, type Explained, explain } from './explain.ts';
import { Fault } from './fault.ts';
import { FileTable } from './file-table.ts';
import { FirstSeen } from './first-seen.ts';
import type { AnyFormat, RepositoryKind } from './format.ts';
import type { HostedSource } from './hosted.ts';
import { hostedSettings } from './hosted-settings.ts';
import type { Log } from './log.ts';
import type { Member } from './members.ts';
import type { Metrics } from './metrics.ts';
import { BESIDE } from './mutation.ts';
import { Objects } from './objects.ts';
import { canonicalPath } from './path.ts';
import { Pins } from './pins.ts';
import { type Probe, probe } from './probe.ts';
import type { RemoteSource } from './remote.ts';
import { type RemoteSpec, remoteSettings } from './remote-settings.ts';
import type { Renderer } from './renderer.ts';
import { Renditions } from './renditions.ts';
import type { Repository } from './repository.ts';
import type { ServeDeps } from './serve.ts';
import type { Ask, PolicyRevision, Source } from './source.ts';

/** A repository as it is declared, defaults filled in. */
export interface DeclaredRepository {
  readonly kind: RepositoryKind;
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
  /** Replaced when something it served was evicted, or is disputed. */
  life: { current: boolean };
  /** Itself and its members. */
  readonly uses: readonly string[];
  /** What it was built from: equal means that it can go on as it is. */
  readonly declared: string;
  /** By its own patterns. */
  readonly guarded: Source;
  /** Under which policy, and as a member of which virtuals, `source` was made. */
  readonly terms: string;
  readonly remote?: RemoteSource;
  readonly exchange?: Exchange;
  readonly hosted?: HostedSource;
}

/** The repositories of the current configuration. A request is answered by the configuration current when it is routed. */
export class Engine {
  /** What `serve` needs beside a repository. */
  readonly serving: ServeDeps;
  readonly #deps: EngineDeps;
  readonly #objects: Objects;
  readonly #files = new FileTable();
  readonly #roots: ReadonlyMap<string, AnyFormat>;
  #repositories: ReadonlyMap<string, Built> = new Map();
  readonly #firstSeen: FirstSeen;
  #policy: PolicyRevision | undefined;
  /** The virtuals that a repository is a member of. */
  #virtuals: ReadonlyMap<string, readonly string[]> = new Map();

  constructor(deps: EngineDeps) {
    this.#deps = deps;
    this.#objects = new Objects(deps.ledger, deps.store);
    this.#firstSeen = new FirstSeen(deps.ledger);
    const { store, renderer, memory } = deps;
    const rooted = [...deps.formats.values()].filter(({ traits }) => traits.root !== undefined);
    this.#roots = new Map(rooted.map((format) => [format.traits.root ?? '', format]));
    const pins = new Pins();
    this.serving = {
      renditions: new Renditions({ store, objects: this.#objects, renderer, memory }),
      aliases: new Aliases({ store, renderer, pins }),
      pins,
    };
  }

  /** Swaps the configuration whole. What did not change goes on with its memory. */
  configure(declared: readonly DeclaredRepository[], policy?: PolicyRevision): void {
    this.#policy = policy;
    this.#virtuals = virtualsOf(declared);
    const next = new Map<string, Built>();
    for (const one of declared.filter(({ kind }) => kind === 'remote'))
      next.set(one.name, this.#reused(one, []) ?? this.#remote(one));
    for (const one of declared.filter(({ kind }) => kind === 'hosted'))
      next.set(one.name, this.#reused(one, []) ?? this.#hosted(one));
    for (const one of declared.filter(({ kind }) => kind === 'virtual')) {
      const members = membersOf(one).flatMap((name) => next.get(name) ?? []);
      next.set(one.name, this.#reused(one, members) ?? this.#virtual(one, members));
    }
    const before = this.#repositories;
    this.#repositories = next;
    for (const old of before.values()) {
      if (next.get(old.name) !== old) old.life.current = false;
      if (!keeps(old) || goesOn(old, next.get(old.name))) continue;
      old.hosted?.retire();
      void this.#empty(old.name);
    }
    for (const { hosted } of next.values()) hosted?.upkeep.check(this.#deps.now());
  }

  repository(name: string): Repository | undefined {
    return this.#repositories.get(name);
  }

  /** The format whose clients look for every repository below this first segment: `v2`. */
  formatAt(root: string): AnyFormat | undefined {
    return this.#roots.get(root);
  }

  /** The repository that has what clients of `root` know as the registry `namespace`: virtuals first, then by name. */
  mirrorOf(root: string, namespace: string): Repository | undefined {
    const mirrors = [...this.#repositories.values()].filter(
      ({ format, uses }) => format.traits.root === root && uses.some((name) => this.#isKnownAs(name, namespace)),
    );
    const rank = ({ kind, name }: Built): string => `${kind === 'virtual' ? 0 : 1} ${name}`;
    return mirrors.sort((one, other) => (rank(one) < rank(other) ? -1 : 1))[0];
  }

  /** Removes what a remote or hosted repository keeps, as far as the filter says. */
  async evict(filter: ObjectFilter & { readonly all?: boolean }): Promise<Evicted> {
    const forgotten = (paths: readonly string[] | 'all') => this.evicted(filter.repository, paths);
    const evicted = await this.#objects.evict(filter, forgotten);
    if (filter.path === undefined) return evicted;
    const { repository, path } = filter;
    const beside = await this.#objects.evict({ repository, prefix: `${path}${BESIDE}` }, forgotten);
    return {
      objects: evicted.objects + beside.objects,
      bytes: evicted.bytes + beside.bytes,
      paths: [...evicted.paths, ...beside.paths],
      blobs: [...evicted.blobs, ...beside.blobs],
    };
  }

  /** Forgets what memory holds of objects that were evicted. */
  evicted(repository: string, paths: readonly string[] | 'all'): void {
    this.#objects.forget(repository, paths);
    if (paths === 'all') this.#files.forget(repository);
    else for (const path of paths) this.#files.forget(repository, path);
    const { remote, hosted } = this.#repositories.get(repository) ?? {};
    remote?.forget(paths);
    hosted?.forget();
    this.#outdate(repository);
  }

  /** Asks a remote's upstream for a path without a client and without keeping anything. */
  async probe(name: string, path: string): Promise<Probe> {
    const repository = this.#repositories.get(name);
    if (!repository?.exchange || !repository.remote) throw new Fault('not_found', `There is no remote "${name}".`);
    return probe(repository, repository.remote, repository.exchange, canonicalPath(path));
  }

  /** What the rules say of a release now; `repository` absent: the one that clients of its format usually ask. */
  async explain(asked: AskedRelease, repository: string | undefined, ask: Ask): Promise<Explained> {
    const found = repository === undefined ? this.#usual(asked.type) : this.#repositories.get(repository);
    if (!found && repository !== undefined) throw new Fault('not_found', `There is no repository "${repository}".`);
    if (!found) throw new Fault('not_found', `There is no repository of packages of type ${asked.type}.`);
    const { store, renderer } = this.#deps;
    return explain(found, asked, ask, { store, renderer });
  }

  /** The one at the format's own mount, else the first by kind and name. */
  #usual(type: string): Built | undefined {
    const all = [...this.#repositories.values()].filter(({ format }) => format.traits.purl === type);
    const rank = ({ kind, name, format }: Built): string =>
      `${name === format.traits.mount ? 0 : 1}${['virtual', 'hosted', 'remote'].indexOf(kind)} ${name}`;
    return all.sort((one, other) => (rank(one) < rank(other) ? -1 : 1))[0];
  }

  status(name: string): UpstreamStatus {
    return this.#repositories.get(name)?.exchange?.status() ?? { healthy: true };
  }

  /** What was served of it is asked for anew. */
  #outdate(repository: string): void {
    for (const built of this.#repositories.values()) {
      if (!built.uses.includes(repository)) continue;
      built.life.current = false;
      built.life = { current: true };
    }
  }

  /** What a repository kept goes with it, so that another of its name does not begin with it. */
  async #empty(name: string): Promise<void> {
    this.#objects.forget(name, 'all');
    this.#files.forget(name);
    try {
      await this.#objects.evict({ repository: name, all: true });
    } catch (error) {
      this.#deps.log.error('what a deleted repository kept was not removed', { repository: name, error });
    }
  }

  #isKnownAs(name: string, namespace: string): boolean {
    const { format, exchange, options } = this.#repositories.get(name) ?? {};
    if (!format || !exchange) return false;
    const { url } = exchange.settings;
    return (format.namespaces?.(url, options ?? {}) ?? [new URL(url).host]).includes(namespace);
  }

  #reused(one: DeclaredRepository, members: readonly Built[]): Built | undefined {
    const known = this.#repositories.get(one.name);
    if (known?.declared !== declaration(one, members)) return undefined;
    if (known.terms === this.#termsOf(one.name)) return known;
    if (one.kind === 'virtual') return undefined;
    return { ...known, ...this.#addressed(known), life: { current: true } };
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
      outdated: () => this.#outdate(one.name),
      firstSeen: this.#firstSeen,
    });
    return { ...this.#built(one, [], format, guarded, settings.options), remote, exchange };
  }

  #hosted(one: DeclaredRepository): Built {
    const format = this.#format(one);
    const { store, renderer, log, now } = this.#deps;
    const settings = hostedSettings(one.name, one.spec);
    const hosted = composeHosted({
      settings,
      format,
      store,
      objects: this.#objects,
      files: this.#files,
      renderer,
      log,
      now,
      changed: () => this.#outdate(one.name),
    });
    return { ...this.#built(one, [], format, hosted, {}), hosted, publisher: hosted };
  }

  #virtual(one: DeclaredRepository, members: readonly Built[]): Built {
    const format = this.#format(one);
    const sources: Member[] = members.map(({ name, guarded, options }) => ({
      name,
      source: this.#underPolicy(guarded, { format, options }, [name, one.name]),
    }));
    const merge = one.spec['merge'] === 'union' ? 'union' : 'first';
    const virtual = composeVirtual(one.name, format, sources, merge, this.#files);
    const optioned = members.find(({ kind }) => kind !== 'hosted');
    return this.#built(one, members, format, virtual, optioned?.options ?? {});
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
      ...this.#addressed({ name: one.name, kind: one.kind, format, options, guarded }),
      life: { current: true },
      uses: [one.name, ...members.flatMap(({ uses }) => uses)],
      declared: declaration(one, members),
    };
  }

  /** What its own address answers with: by the strictest policy of every virtual it belongs to. A virtual's members are guarded. */
  #addressed({
    name,
    kind,
    format,
    options,
    guarded,
  }: Pick<Built, 'name' | 'kind' | 'format' | 'options' | 'guarded'>): Pick<Built, 'source' | 'terms'> {
    const through = [name, ...(this.#virtuals.get(name) ?? [])];
    const source = kind === 'virtual' ? guarded : this.#underPolicy(guarded, { format, options }, through);
    return { source: composeAddress(source, { name, format, options }, this.#deps), terms: this.#termsOf(name) };
  }

  #underPolicy(
    source: Source,
    reading: { readonly format: AnyFormat; readonly options: Readonly<Record<string, unknown>> },
    repositories: readonly string[],
  ): Source {
    const terms = { ...reading, repositories, firstSeen: this.#firstSeen };
    return composePolicy(source, this.#policy ? { ...terms, policy: this.#policy } : terms);
  }

  #termsOf(name: string): string {
    return JSON.stringify([this.#policy?.id, this.#virtuals.get(name)]);
  }

  #format(one: DeclaredRepository): AnyFormat {
    const format = this.#deps.formats.get(String(one.spec['format']));
    if (!format) throw new Error(`repository "${one.name}" has the unknown format "${String(one.spec['format'])}"`);
    return format;
  }
}

/** It has objects of its own. */
function keeps({ kind }: Built): boolean {
  return kind !== 'virtual';
}

/** The next of its name is the same repository, declared otherwise. */
function goesOn(old: Built, next: Built | undefined): boolean {
  return next?.kind === old.kind && next.format === old.format;
}

function virtualsOf(declared: readonly DeclaredRepository[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const one of declared.filter(({ kind }) => kind === 'virtual'))
    for (const member of membersOf(one)) found.set(member, [...(found.get(member) ?? []), one.name]);
  return found;
}

function membersOf(one: DeclaredRepository): readonly string[] {
  return (one.spec['members'] ?? []) as readonly string[];
}

function declaration(one: DeclaredRepository, members: readonly Built[]): string {
  return [JSON.stringify([one.kind, one.name, one.spec]), ...members.map(({ declared }) => declared)].join('\n');
}
