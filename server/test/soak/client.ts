import { setTimeout as sleep } from 'node:timers/promises';
import { ACTIONS } from './actions/all.ts';
import type { Case } from './judge.ts';
import { Random } from './random.ts';
import type { Session } from './session.ts';
import { ask, type Heard, type Question } from './wire.ts';
import type { Package, Release } from './world.ts';

/** Longest pause between two requests of one client, in milliseconds. */
const PAUSE = 60;
const TAGS = 200;

/** What to ask a server for; `path` begins at its root. */
export interface Wanted extends Omit<Question, 'url'> {
  readonly path: string;
  /** With the token of the administrator. */
  readonly admin?: true;
  /** Default: any. */
  readonly server?: number;
}

/** One that does this and that, by its own dice, and hands every answer to the judge. */
export class Client {
  readonly session: Session;
  readonly random: Random;
  readonly name: string;
  readonly #tags = new Map<string, string>();

  constructor(session: Session, nth: number) {
    this.session = session;
    this.name = `client-${nth}`;
    this.random = new Random(session.seed, this.name);
  }

  async live(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.random.weighted(ACTIONS).act(this);
      await sleep(this.random.below(PAUSE));
    }
  }

  /** Asks, and puts on record what was heard; judging it is left to the caller, who knows what is right. */
  async ask(what: string, wanted: Wanted, isPull = false): Promise<{ readonly heard: Heard; readonly server: number }> {
    const { addresses, installation, records, counts } = this.session;
    const { path, admin, server = this.random.below(addresses.length), ...question } = wanted;
    const headers = {
      'user-agent': `soak/${this.name}`,
      ...(admin ? { authorization: `Bearer ${installation.token}` } : {}),
      ...question.headers,
    };
    const heard = await ask({ ...question, url: `${addresses[server]}${path}`, headers });
    const id = heard.headers['x-request-id'];
    const { method, status, complete, size, sha256, began, ended, trouble } = heard;
    counts.add(what, heard.left ? 'left' : complete ? String(status) : 'broken');
    records.add({
      ...(typeof id === 'string' ? { id } : {}),
      ...{ what, server, method, path, status, complete, size, sha256, began, ended },
      ...(isPull && status === 200 && complete && method === 'GET' ? { pulled: true } : {}),
      ...(trouble === undefined ? {} : { trouble }),
    });
    this.#remember(path, heard);
    return { heard, server };
  }

  /** As `ask`, and judged. */
  async judged(what: string, wanted: Wanted, of: Omit<Case, 'server'>, isPull = false): Promise<Heard> {
    const { heard, server } = await this.ask(what, wanted, isPull);
    this.session.judge.answer(heard, { ...of, server });
    return heard;
  }

  /** The tag that this client got with what is at a path. */
  tagOf(path: string): string | undefined {
    return this.#tags.get(path);
  }

  anyPackage(suits: (one: Package) => boolean = () => true): Package {
    return this.random.pick(this.session.world.packages.filter(suits));
  }

  /** One that is there for long enough to be known everywhere; the newest are asked for most. */
  anyRelease(of: Package): Release {
    const releases = this.session.world.releases(of, Date.now() - SETTLED);
    return this.random.chance(0.4) ? (releases.at(-1) ?? this.random.pick(releases)) : this.random.pick(releases);
  }

  #remember(path: string, { status, complete, headers: { etag } }: Heard): void {
    if (status !== 200 || !complete || etag === undefined) return;
    this.#tags.delete(path);
    this.#tags.set(path, etag);
    const [oldest] = this.#tags.keys();
    if (this.#tags.size > TAGS && oldest !== undefined) this.#tags.delete(oldest);
  }
}

/** A release is asked for only when it is so old, in milliseconds. */
const SETTLED = 1000;
