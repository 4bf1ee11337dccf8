import type { Client } from '../client.ts';
import { repositoriesOf } from '../repositories.ts';
import type { Action } from './action.ts';

const NEEDS = ['database', 'store', 'coordination', 'process'] as const;
/** So many at once at most: most of what clients want is to be had. */
const BLOCKS = 6;

/** Takes one release out, as somebody does who has just read of it. */
export const block: Action = {
  weight: 0.6,
  async act(client) {
    const { blocks } = client.session;
    if (blocks.current.length >= BLOCKS) return;
    const release = client.anyRelease(client.anyPackage(({ ecosystem }) => ecosystem.indexPath !== undefined));
    const name = `block-${client.name}-${nextOf(client)}`;
    const declared = blocks.sent(name, release);
    if (!declared) return;
    const purl = `pkg:${release.ecosystem.format}/${release.name}@${release.version}`;
    const body = JSON.stringify({ name, packages: [purl], reason: 'it is soaked' });
    const headers = { 'content-type': 'application/json' };
    const wanted = { method: 'PUT', path: `/api/v2/blocks/${name}`, body, headers, admin: true } as const;
    const heard = await client.judged('block', wanted, { needs: NEEDS, right: [200, 201] });
    if (heard.complete && heard.status < 300 && heard.status > 0) declared.acknowledgedAt = heard.ended;
  },
};

export const lift: Action = {
  weight: 0.6,
  async act(client) {
    const { current } = client.session.blocks;
    if (current.length < BLOCKS / 2) return;
    const declared = client.random.pick(current);
    declared.liftSentAt ??= Date.now();
    const wanted = { method: 'DELETE', path: `/api/v2/blocks/${declared.name}`, admin: true } as const;
    const heard = await client.judged('lift', wanted, { needs: NEEDS, right: [200, 204, 404] });
    if (heard.complete && [200, 204, 404].includes(heard.status)) declared.liftedAt = heard.ended;
  },
};

/** One file, one package, or, seldom, all of a remote. */
export const evict: Action = {
  weight: 1.5,
  async act(client) {
    const release = client.anyRelease(client.anyPackage());
    const { ecosystem, name, version } = release;
    const what = client.random.next();
    const target =
      what < 0.7
        ? `path=${encodeURIComponent(ecosystem.artifactPath(release).slice(1))}`
        : what < 0.97
          ? `purl=${encodeURIComponent(`pkg:${ecosystem.format}/${name}@${version}`)}`
          : 'all=true';
    const path = `/api/v2/remotes/${repositoriesOf(ecosystem.format)[0]}/objects?${target}`;
    await client.judged('evict', { method: 'DELETE', path, admin: true }, { needs: NEEDS, right: [200] });
  },
};

const PAGES = ['/api/v2/pulls?limit=50', '/api/v2/stats', '/api/v2/config', '/metrics', '/api/v2/alerts'];

/** What somebody who runs it looks at. */
export const look: Action = {
  weight: 1,
  async act(client) {
    const path = client.random.pick(PAGES);
    await client.judged('management', { path, admin: true }, { needs: NEEDS, right: [200] });
  },
};

const counts = new WeakMap<Client, number>();

function nextOf(client: Client): number {
  const nth = (counts.get(client) ?? 0) + 1;
  counts.set(client, nth);
  return nth;
}
