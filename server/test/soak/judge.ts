import type { Blocks } from './blocks.ts';
import type { Contents } from './contents.ts';
import type { Damage } from './damage.ts';
import type { Findings } from './findings.ts';
import { type Times, wrongIn } from './listing.ts';
import { PARTS, type Part, type Weather } from './weather.ts';
import { type Heard, PATIENCE } from './wire.ts';
import type { Package, Release, World } from './world.ts';

export interface Judging {
  readonly world: World;
  readonly weather: Weather;
  readonly blocks: Blocks;
  readonly damage: Damage;
  readonly findings: Findings;
  /** Milliseconds in which a block reaches every server. */
  readonly spread: number;
}

export interface Case {
  readonly server: number;
  /** What it takes to answer. */
  readonly needs: readonly Part[];
  readonly contents?: Contents;
  readonly release?: Release;
  /** First and last byte that was asked for. */
  readonly range?: readonly [number, number];
  /** Statuses that are right. */
  readonly right: readonly number[];
}

/** The upstream's failure is 502 or 504; ours is 503, and says when to ask again. */
const OF_UPSTREAM = [502, 504];
/** How long after trouble the upstream may not have been asked again, in milliseconds. */
const AFTER_TROUBLE = 40_000;

/** Says of every answer whether it may be so, at that time. */
export class Judge {
  readonly #deps: Judging;

  constructor(deps: Judging) {
    this.#deps = deps;
  }

  /** Milliseconds in which a change reaches every server. */
  get spread(): number {
    return this.#deps.spread;
  }

  answer(heard: Heard, of: Case): void {
    if (heard.left) return;
    if (this.#isRefusal(heard, of) || of.right.includes(heard.status)) {
      if (!heard.complete) return this.#failed(heard, of);
      if (heard.status === 200 || heard.status === 206) this.#bytes(heard, of);
      return;
    }
    this.#failed(heard, of);
  }

  /** `text` of an index, unpacked; undefined: it is none, and judged. */
  index(heard: Heard, of: Case, index: Package): void {
    this.answer(heard, of);
    if (heard.status !== 200 || !heard.complete || heard.method !== 'GET') return;
    try {
      for (const [what, detail] of wrongIn(heard, index, this.#times(heard)))
        this.#wrong(what, heard, of.server, detail);
    } catch (error) {
      this.#wrong('an index cannot be read', heard, of.server, String(error));
    }
  }

  /** Whether news of a change may have been kept from reaching every server. */
  mayLag({ began, ended }: Pick<Heard, 'began' | 'ended'>): boolean {
    return this.#deps.weather.between(began, ended, ['database', 'coordination']).length > 0;
  }

  /** What may be said of releases in an answer of that time. */
  #times({ began, ended }: Heard): Times {
    const { world, weather, blocks, spread } = this.#deps;
    const mayLag = this.mayLag({ began, ended });
    return {
      releases: (index) => world.releases(index, ended),
      mustHide: (release) => !mayLag && blocks.forbidding(release, began, ended, spread) !== undefined,
      mayHide: (release) => mayLag || blocks.mayRefuse(release, began, ended, spread),
      isCurrent: weather.between(began - AFTER_TROUBLE, ended, PARTS).length === 0,
    };
  }

  #isRefusal(heard: Heard, { release }: Case): boolean {
    const { blocks, spread } = this.#deps;
    if (heard.status !== 403 || release === undefined) return false;
    return blocks.mayRefuse(release, heard.began, heard.ended, spread) || this.mayLag(heard);
  }

  #bytes(heard: Heard, { server, contents, release, range }: Case): void {
    const { blocks, damage, spread } = this.#deps;
    if (release && blocks.forbidding(release, heard.began, heard.ended, spread) && !this.mayLag(heard))
      this.#wrong('what is blocked was served', heard, server);
    if (!contents || heard.method === 'HEAD') return;
    const part = heard.status === 206 && range;
    const right = part ? contents.digestOf(part[0], part[1]) : contents.digest('sha256');
    if (heard.sha256 === right || damage.explains(contents.digest('sha256'))) return;
    this.#wrong('a client has a complete file with wrong bytes', heard, server, `expected ${right}`);
  }

  #failed(heard: Heard, { server, needs, contents }: Case): void {
    const { weather, damage } = this.#deps;
    const { status, complete, headers } = heard;
    const troubles = weather.between(heard.began, heard.ended, needs, server);
    const isHarmed = contents !== undefined && damage.has(contents.digest('sha256'));
    const isExcused = troubles.length > 0 || isHarmed;
    if (heard.ended - heard.began >= PATIENCE) this.#wrong('a request had no end', heard, server);
    else if (status === 0 || !complete) {
      if (!isExcused) this.#wrong('a connection broke while all was well', heard, server);
    } else if (status === 404) this.#wrong('404 for what there is', heard, server);
    else if (OF_UPSTREAM.includes(status)) {
      const isItsFault = isHarmed || troubles.some(({ breaks }) => breaks.includes('upstream'));
      if (!isItsFault) this.#wrong(`answered ${status} while the upstream was well`, heard, server);
    } else if (status !== 503) this.#wrong(`answered ${status}`, heard, server);
    else if (!isExcused) this.#wrong('answered 503 while all was well', heard, server);
    else if (headers['retry-after'] === undefined) this.#wrong('answered 503 without Retry-After', heard, server);
  }

  #wrong(what: string, heard: Heard, server: number, detail = heard.trouble ?? ''): void {
    const { method, url, status, headers, began, ended } = heard;
    const reason = headers['x-entrepot-reason'];
    const during = this.#deps.weather.now.map(({ name }) => name).join(', ');
    this.#deps.findings.add(
      what,
      [
        `${method} ${url} → ${status}${server < 0 ? '' : ` by server ${server}`}`,
        `${new Date(began).toISOString()} +${ended - began} ms`,
        headers['x-request-id'] && `request ${String(headers['x-request-id'])}`,
        reason && `reason ${String(reason)}`,
        detail,
        during && `during ${during}`,
      ]
        .filter(Boolean)
        .join(', '),
    );
  }
}
