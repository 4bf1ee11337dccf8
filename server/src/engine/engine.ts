import type { Coordination } from '../coordination/coordination.ts';
import type { Evicted, Ledger, ObjectFilter } from '../ledger/ledger.ts';
import type { Store } from '../store/store.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { Aliases } from './answer/aliases.ts';
import { Pins } from './answer/pins.ts';
import type { Renderer } from './answer/renderer.ts';
import { Renditions } from './answer/renditions.ts';
import type { ServeDeps } from './answer/serve.ts';
import type { PullJournal } from './audited.ts';
import { composeAddress, composeHosted, composePolicy, composeRemote, composeVirtual } from './compose.ts';
import {
  claimsOf,
  type DeclaredRepository,
  declaration,
  membersOf,
  virtualsInOrder,
  virtualsOf,
  watchedOf,
} from './declared.ts';
import type { Events } from './events.ts';
import { Fault } from './fault.ts';
import { FileTable } from './file-table.ts';
import type { AnyFormat } from './format.ts';
import { Advice } from './guard/advice.ts';
import { type AskedRelease, type Explained, explain, usualFor } from './guard/explain.ts';
import { FirstSeen } from './guard/first-seen.ts';
import type { HostedSource } from './hosted/hosted.ts';
import { hostedSettings } from './hosted/hosted-settings.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { Objects } from './objects.ts';
import { canonicalPath } from './path.ts';
import { releaseUrl } from './purl.ts';
import { Exchange, type UpstreamStatus } from './remote/exchange.ts';
import { BESIDE } from './remote/mutation.ts';
import { type Probe, probe } from './remote/probe.ts';
import type { RemoteSource } from './remote/remote.ts';
import { type RemoteSpec, remoteSettings } from './remote/remote-settings.ts';
import type { Repository } from './repository.ts';
import type { Ask, PolicyRevision, Source } from './source.ts';
import { AwaySource } from './virtual/away.ts';
import { ClaimedSource, requireOwn } from './virtual/claimed.ts';
import { Claims } from './virtual/claims.ts';
import type { Member } from './virtual/members.ts';
import { mirrorIn } from './virtual/mirrors.ts';
import { Alerts } from './watch/alerts.ts';
import { Watch } from './watch/watch.ts';

export type { DeclaredRepository };

export interface EngineDeps {
  readonly formats: ReadonlyMap<string, AnyFormat>;
  readonly store: Store;
  readonly ledger: Ledger;
  readonly upstream: Upstream;
  readonly journal: PullJournal;
  readonly renderer: Renderer;
  readonly metrics: Metrics;
  /** Told what happened. */
  readonly events: Events;
  readonly log: Log;
  readonly now: () => number;
  /** Public registry of a format, for a remote without `url`. */
  readonly publicUpstream: (format: AnyFormat) => string | undefined;
  /** Bytes of memory for renditions. */
  readonly memory: number;
  /** A pull that cannot be put on record at once is not served. */
  readonly strictAudit?: boolean;
  /** Whom to ask about a refusal; default: whoever runs this server. `{purl}` stands for what was refused. */
  readonly refusalHelp?: string | undefined;
  /** Default: of its own. */
  readonly objects?: Objects;
  /** With the other processes of this installation; default: there are none. */
  readonly coordination?: Coordination;
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
  readonly #alerts: Alerts;
  readonly #watch: Watch;
  #policy: PolicyRevision | undefined;
  /** The virtuals that a repository is in, at whatever depth. */
  #virtuals: ReadonlyMap<string, readonly string[]> = new Map();
  #claims = new Claims();

  constructor(deps: EngineDeps) {
    this.#deps = deps;
    this.#objects = deps.objects ?? new Objects(deps.ledger, deps.store, deps);
    this.#firstSeen = new FirstSeen(deps.ledger);
    this.#alerts = new Alerts(deps);
    this.#watch = new Watch({ ...deps, alerts: this.#alerts, random: Math.random });
    const { store, renderer, memory, log, refusalHelp } = deps;
    const rooted = [...deps.formats.values()].filter(({ traits }) => traits.root !== undefined);
    this.#roots = new Map(rooted.map((format) => [format.traits.root ?? '', format]));
    const pins = new Pins(deps.coordination);
    this.serving = {
      renditions: new Renditions({
        store,
        objects: this.#objects,
        renderer,
        memory,
        found: (...findings) => this.#alerts.found(...findings),
      }),
      aliases: new Aliases({ store, objects: this.#objects, renderer, pins }),
      pins,
      advice: new Advice({ store, renderer, log, help: refusalHelp }),
    };
  }

  /** Swaps the configuration whole. What did not change goes on with its memory. `isOurs`: this process changed it. */
  configure(declared: readonly DeclaredRepository[], policy?: PolicyRevision, isOurs = true): void {
    this.#policy = policy;
    this.#virtuals = virtualsOf(declared);
    const claims = claimsOf(declared, this.#deps.formats);
    if (claims.id !== this.#claims.id) this.#claims = claims;
    const next = new Map<string, Built>();
    for (const one of declared.filter(({ kind }) => kind === 'remote'))
      next.set(one.name, this.#reused(one, []) ?? this.#remote(one));
    for (const one of declared.filter(({ kind }) => kind === 'hosted'))
      next.set(one.name, this.#reused(one, []) ?? this.#hosted(one));
    for (const one of virtualsInOrder(declared)) {
      const members = membersOf(one).flatMap((name) => next.get(name) ?? []);
      next.set(one.name, this.#reused(one, members) ?? this.#virtual(one, members));
    }
    const before = this.#repositories;
    this.#repositories = next;
    for (const old of before.values()) {
      if (next.get(old.name) !== old) old.life.current = false;
      if (old.kind === 'virtual' || goesOn(old, next.get(old.name))) continue;
      old.hosted?.retire();
      void this.#empty(old.name, isOurs);
    }
    for (const { hosted } of next.values()) hosted?.upkeep.check(this.#deps.now());
    this.#watch.configure(watchedOf(declared, next), claims);
  }

  /** Looks for public packages under private names, as far as that is due. */
  watch(): Promise<void> {
    return this.#watch.turn();
  }

  /** When the alerts that were raised so far are on record. */
  async alerted(): Promise<void> {
    await this.#watch.idle();
    await this.#alerts.settled();
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
    return mirrorIn(this.#repositories, root, namespace);
  }

  /** Removes what a remote or hosted repository keeps, as far as the filter says. */
  async evict(filter: ObjectFilter & { readonly all?: boolean }): Promise<Evicted> {
    const forgotten = (paths: readonly string[] | 'all') => this.evicted(filter.repository, paths);
    const evicted = await this.#objects.evict(filter, forgotten);
    const { repository, path, ...what } = filter;
    if (path === undefined) return this.#told(repository, what, evicted);
    const beside = await this.#objects.evict({ repository, prefix: `${path}${BESIDE}` }, forgotten);
    return this.#told(
      repository,
      { path },
      {
        objects: evicted.objects + beside.objects,
        bytes: evicted.bytes + beside.bytes,
        paths: [...evicted.paths, ...beside.paths],
        blobs: [...evicted.blobs, ...beside.blobs],
      },
    );
  }

  #told(repository: string, what: object, evicted: Evicted): Evicted {
    const { objects, bytes } = evicted;
    const details = { ...what, objects, bytes };
    if (objects > 0) this.#deps.events.emit({ kind: 'evicted', at: this.#deps.now(), repository, details });
    return evicted;
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
    const { exchange, remote } = repository ?? {};
    if (!repository || !exchange || !remote) throw new Fault('not_found', `There is no remote "${name}".`);
    const probed = { repository, remote, exchange, guarded: this.#judged(repository) };
    return probe(probed, canonicalPath(path), this.#deps.now());
  }

  /** What the rules say of a release now; `repository` absent: the one that clients of its format usually ask. */
  async explain(asked: AskedRelease, repository: string | undefined, ask: Ask): Promise<Explained> {
    const found =
      repository === undefined ? usualFor(asked.type, this.#repositories.values()) : this.#repositories.get(repository);
    if (!found && repository !== undefined) throw new Fault('not_found', `There is no repository "${repository}".`);
    if (!found) throw new Fault('not_found', `There is no repository of packages of type ${asked.type}.`);
    const { store, renderer } = this.#deps;
    const explained = await explain(found, asked, ask, { store, renderer });
    if (explained.allowed || explained.rule === undefined) return explained;
    return { ...explained, help: this.serving.advice.help(explained.rule, releaseUrl(asked), false) };
  }

  status(name: string): UpstreamStatus {
    return this.#repositories.get(name)?.exchange?.status() ?? { healthy: true, resting: false };
  }

  /** What was served of it is asked for anew. */
  #outdate(repository: string): void {
    for (const built of this.#repositories.values()) {
      if (!built.uses.includes(repository)) continue;
      built.life.current = false;
      built.life = { current: true };
    }
  }

  /** What a repository kept goes with it, so that another of its name does not begin with it; once, by who removed it. */
  async #empty(name: string, isOurs: boolean): Promise<void> {
    this.#objects.forget(name, 'all');
    this.#files.forget(name);
    if (!isOurs) return;
    try {
      await this.#objects.evict({ repository: name, all: true });
    } catch (error) {
      this.#deps.log.error('what a deleted repository kept was not removed', { repository: name, error });
    }
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
    const { upstream, events, now, metrics } = this.#deps;
    const settings = remoteSettings(one.name, one.spec as RemoteSpec, format, this.#deps.publicUpstream(format));
    const exchange = new Exchange(settings, upstream, metrics, now, events);
    const { remote, guarded } = composeRemote({
      ...this.#deps,
      settings,
      format,
      exchange,
      objects: this.#objects,
      files: this.#files,
      outdated: () => this.#outdate(one.name),
      firstSeen: this.#firstSeen,
    });
    return { ...this.#built(one, [], format, guarded, settings.options), remote, exchange };
  }

  #hosted(one: DeclaredRepository): Built {
    const format = this.#format(one);
    const { store, renderer, events, log, now } = this.#deps;
    const settings = hostedSettings(one.name, one.spec);
    const hosted = composeHosted({
      settings,
      format,
      store,
      objects: this.#objects,
      files: this.#files,
      renderer,
      events,
      log,
      now,
      changed: () => this.#outdate(one.name),
      requireOwn: (names) => requireOwn(this.#claims, one.name, names),
      published: (name) => this.#watch.published(one.name, name),
    });
    return { ...this.#built(one, [], format, hosted, {}), hosted, publisher: hosted };
  }

  #virtual(one: DeclaredRepository, members: readonly Built[]): Built {
    const format = this.#format(one);
    const byName = new Map(members.map((member) => [member.name, member]));
    const sources = membersOf(one).map((name): Member => {
      const member = byName.get(name);
      if (!member) return { name, source: new AwaySource(name) };
      const { options, uses } = member;
      return { name, uses, source: this.#underPolicy(this.#own(member), { format, options }, [name, one.name]) };
    });
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

  /** What its own address answers with: by the strictest policy of every virtual it is in. A virtual's members are guarded. */
  #addressed({
    name,
    kind,
    format,
    options,
    guarded,
  }: Pick<Built, 'name' | 'kind' | 'format' | 'options' | 'guarded'>): Pick<Built, 'source' | 'refusals' | 'terms'> {
    const source = this.#judged({ name, kind, format, options, guarded });
    return { ...composeAddress(source, { name, format, options }, this.#deps), terms: this.#termsOf(name) };
  }

  #judged(one: Pick<Built, 'name' | 'kind' | 'format' | 'options' | 'guarded'>): Source {
    const above = this.#virtuals.get(one.name) ?? [];
    const own = this.#own(one);
    return one.kind === 'virtual' && above.length === 0 ? own : this.#underPolicy(own, one, [one.name, ...above]);
  }

  /** Asked for nothing that is claimed for others. */
  #own({ name, kind, format, guarded }: Pick<Built, 'name' | 'kind' | 'format' | 'guarded'>): Source {
    const isConcerned = this.#claims.id !== '' && kind !== 'virtual';
    return isConcerned ? new ClaimedSource(guarded, name, format, this.#claims) : guarded;
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
    return JSON.stringify([this.#policy?.id, this.#claims.id, this.#virtuals.get(name)]);
  }

  #format(one: DeclaredRepository): AnyFormat {
    const format = this.#deps.formats.get(String(one.spec['format']));
    if (!format) throw new Error(`repository "${one.name}" has the unknown format "${String(one.spec['format'])}"`);
    return format;
  }
}

/** The next of its name is the same repository, declared otherwise. */
function goesOn(old: Built, next: Built | undefined): boolean {
  return next?.kind === old.kind && next.format === old.format;
}
