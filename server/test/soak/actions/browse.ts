import { HOSTED, repositoriesOf } from '../repositories.ts';
import type { Action } from './action.ts';

const NEEDS = ['upstream', 'database', 'store', 'coordination', 'process'] as const;

/** Reads an index: whole, packed, or only when it is another than the one this client has. */
export const browse: Action = {
  weight: 30,
  async act(client) {
    const { random, session } = client;
    const index = client.anyPackage(({ ecosystem }) => ecosystem.indexPath !== undefined);
    const { ecosystem, name } = index;
    const path = `/${random.pick(repositoriesOf(ecosystem.format))}${ecosystem.indexPath?.(name)}`;
    const accept = random.pick(ecosystem.accepts);
    const known = random.chance(0.3) ? client.tagOf(path) : undefined;
    const headers = {
      ...(accept === undefined ? {} : { accept }),
      ...(random.chance(0.4) ? { 'accept-encoding': 'gzip' } : {}),
      ...(known === undefined ? {} : { 'if-none-match': known }),
    };
    const method = random.chance(0.05) ? 'HEAD' : 'GET';
    const { heard, server } = await client.ask('index', { path, headers, method, kept: true });
    const right = known === undefined ? [200] : [200, 304];
    session.judge.index(heard, { server, needs: NEEDS, right }, index);
  },
};

/** Reads the index of what was published here: it has everything that was acknowledged before. */
export const browseOwn: Action = {
  weight: 3,
  async act(client) {
    const { random, session } = client;
    const { spread } = session.judge;
    const published = session.publications.acknowledged.filter(
      ({ repository, acknowledgedAt = 0 }) => repository === HOSTED.npm && acknowledgedAt + spread < Date.now(),
    );
    if (published.length === 0) return;
    const { name, version } = random.pick(published);
    const path = `/${random.pick([HOSTED.npm, 'npm-all'])}/${name}`;
    const { heard, server } = await client.ask('index of ours', { path, kept: true });
    session.judge.answer(heard, { server, needs: NEEDS, right: [200] });
    if (heard.status !== 200 || !heard.complete) return;
    const { versions } = JSON.parse(heard.body.toString('utf8')) as { versions: Record<string, unknown> };
    if (version in versions || session.judge.mayLag(heard)) return;
    session.findings.add('an index does not list what was published', `${path} ${version} by server ${server}`);
  },
};
