import { setTimeout as sleep } from 'node:timers/promises';
import { npmDocument } from '../support/hosted-client.ts';
import { Client } from './client.ts';
import { Contents } from './contents.ts';
import type { Publication } from './publications.ts';
import { STILL } from './repositories.ts';
import type { Session } from './session.ts';

const BETWEEN = 200;
const NEEDS = ['database', 'store', 'coordination', 'process'] as const;

/** A small file of ours that is in the memory of every server when something goes away: it goes on being served. */
export class Hot {
  readonly #session: Session;
  readonly #client: Client;
  #publication: Publication | undefined;

  constructor(session: Session) {
    this.#session = session;
    this.#client = new Client(session, -1);
  }

  /** Once, while all is well. */
  async publish(): Promise<void> {
    const [repository, name, version] = [STILL, 'hot', '1.0.0'];
    const contents = new Contents(`${this.#session.seed} hot`, 5000);
    const path = `/${repository}/${name}/-/${name}-${version}.tgz`;
    const body = JSON.stringify(npmDocument({ name, version, tarball: contents.bytes }));
    const headers = { 'content-type': 'application/json' };
    const wanted = { method: 'PUT', path: `/${repository}/${name}`, body, headers, admin: true } as const;
    const { heard } = await this.#client.ask('publish', wanted);
    if (heard.status !== 201) throw new Error(`${path} was not taken: ${heard.status}`);
    this.#publication = { repository, name, version, path, contents, acknowledgedAt: heard.ended };
    this.#session.publications.all.push(this.#publication);
  }

  /** Has every server have it in memory. */
  async warm(): Promise<void> {
    for (const server of this.#session.addresses.keys()) {
      await this.#get(server);
      await this.#get(server);
    }
  }

  /** Asks one server until the signal, and resolves to how often it was answered from memory. */
  async count(server: number, signal: AbortSignal): Promise<number> {
    let hits = 0;
    while (!signal.aborted) {
      if (await this.#get(server)) hits += 1;
      await sleep(BETWEEN);
    }
    return hits;
  }

  async #get(server: number): Promise<boolean> {
    const { path = '', contents = new Contents('none', 0) } = this.#publication ?? {};
    const heard = await this.#client.judged(
      'file in memory',
      { path, server },
      { needs: NEEDS, contents, right: [200] },
      true,
    );
    return heard.status === 200 && heard.complete && heard.headers['x-cache'] === 'hit';
  }
}
