import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { INDEX_TTL, repositoriesOf } from '../repositories.ts';
import type { Session } from '../session.ts';
import { ask } from '../wire.ts';
import type { Package } from '../world.ts';

const TRIES = 10;

/** Every index, from every server and through every repository, is what the upstream says. */
export async function auditIndexes(session: Session): Promise<{ readonly indexes: number }> {
  let indexes = 0;
  for (const index of session.world.packages) {
    const { ecosystem, name } = index;
    if (!ecosystem.indexPath) continue;
    for (const repository of repositoriesOf(ecosystem.format)) {
      const path = `/${repository}${ecosystem.indexPath(name)}`;
      for (const accept of ecosystem.accepts)
        for (const server of session.addresses.keys()) {
          indexes += 1;
          await equals(session, index, { url: `${session.addresses[server]}${path}`, accept });
        }
    }
  }
  return { indexes };
}

/** What answers at once may be one `index_ttl` old, and is asked for again behind that. */
async function equals(
  { world, findings }: Session,
  index: Package,
  { url, accept }: { readonly url: string; readonly accept: string | undefined },
): Promise<void> {
  const releases = world.releases(index, Date.now());
  const right = JSON.stringify(releases.map((release) => [release.version, index.ecosystem.announced(release)]).sort());
  let seen = '';
  for (let tried = 0; tried < TRIES; tried += 1) {
    const heard = await ask({ url, headers: accept === undefined ? {} : { accept }, kept: true });
    const body = heard.headers['content-encoding'] === 'gzip' ? gunzipSync(heard.body) : heard.body;
    seen = heard.status === 200 ? '' : String(heard.status);
    if (heard.status === 200 && heard.complete) {
      const listed = index.ecosystem.listed(body.toString('utf8'), heard.headers['content-type'] ?? '');
      seen = JSON.stringify([...listed].map(([version, { digest }]) => [version, digest]).sort());
    }
    if (seen === right) return;
    await sleep(INDEX_TTL / 2);
  }
  findings.add('an index is not what the upstream says', `${url}: ${seen} instead of ${right}`);
}
