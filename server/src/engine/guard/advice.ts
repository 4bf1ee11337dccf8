import { LRUCache } from 'lru-cache';
import { Fault } from '../fault.ts';
import type { Log } from '../log.ts';
import { packageUrlIfAny } from '../purl.ts';
import { isAboutTime } from '../remote/moving-names.ts';
import type { Repository } from '../repository.ts';
import type { Ask, Source } from '../source.ts';
import { type ExplainDeps, instead } from './explain.ts';

export interface AdviceDeps extends ExplainDeps {
  readonly log: Log;
  /** Whom to ask, in the words of whoever runs this server; `{purl}` stands for what was refused. */
  readonly help?: string | undefined;
}

/** How long a version is suggested without looking again, in milliseconds: builds ask for what is refused again and again. */
const SUGGESTED_FOR = 60_000;

interface Suggested {
  readonly by: Source;
  readonly at: number;
  readonly version: Promise<string | undefined>;
}

/** What is said with a refusal: what to use instead, and whom to ask. One place for every format. */
export class Advice {
  readonly #deps: AdviceDeps;
  readonly #suggested = new LRUCache<string, Suggested>({ max: 2000 });

  constructor(deps: AdviceDeps) {
    this.#deps = deps;
  }

  /** The refusal with what there is to say. */
  async given(refusal: Fault, repository: Repository, ask: Ask): Promise<Fault> {
    const { package: name, version, rule = '' } = refusal.details;
    const purl = name === undefined ? undefined : packageUrlIfAny(repository.format, repository.options, name, version);
    const nearest =
      name === undefined || version === undefined
        ? undefined
        : await this.#nearest(repository, { name, version }, { ...ask, ...memberOf(refusal) });
    const help = this.help(rule, purl, version !== undefined && explains(repository, name));
    return new Fault(refusal.code, refusal.message, {
      cause: refusal.options.cause,
      details: { ...refusal.details, help, ...(nearest === undefined ? {} : { nearest }) },
    });
  }

  /** Whom to ask about a rule, and where more is to be had. */
  help(rule: string, purl: string | undefined, isExplained: boolean): string {
    const { help } = this.#deps;
    if (help !== undefined) return help.replaceAll('{purl}', purl ?? 'it');
    const more = purl !== undefined && isExplained ? `; more: entrepot explain ${purl}` : '.';
    if (isAboutTime({ rule })) return `For an exemption ask whoever runs this registry${more}`;
    return `No exemption lifts this: ask whoever runs this registry${more}`;
  }

  #nearest(
    repository: Repository,
    release: { readonly name: string; readonly version: string },
    ask: Ask,
  ): Promise<string | undefined> {
    const key = [repository.name, ask.member ?? '', release.name, release.version].join('\0');
    const known = this.#suggested.get(key);
    const age = known ? ask.now - known.at : Number.POSITIVE_INFINITY;
    if (known?.by === repository.source && age >= 0 && age < SUGGESTED_FOR) return known.version;
    const version = instead(repository, release, ask, this.#deps).catch((error: unknown) => {
      // It is refused all the same.
      if (!(error instanceof Fault)) this.#deps.log.error('no version could be suggested', { ...release, error });
      return undefined;
    });
    this.#suggested.set(key, { by: repository.source, at: ask.now, version });
    return version;
  }
}

/** Whether an index says which releases there are. */
function explains({ format }: Repository, name: string | undefined): boolean {
  return name !== undefined && format.roster(name).length > 0;
}

/** The member that owns the name: no other one's versions are of use. */
function memberOf({ details }: Fault): { readonly member?: string } {
  return typeof details['member'] === 'string' ? { member: details['member'] } : {};
}
