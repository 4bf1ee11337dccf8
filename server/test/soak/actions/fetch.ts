import type { Client, Wanted } from '../client.ts';
import type { Case } from '../judge.ts';
import { repositoriesOf } from '../repositories.ts';
import type { Release } from '../world.ts';
import type { Action } from './action.ts';

const NEEDS = ['upstream', 'database', 'store', 'coordination', 'process'] as const;
const OWN = ['database', 'store', 'coordination', 'process'] as const;

export const fetchWhole: Action = {
  weight: 30,
  async act(client) {
    await get(client, 'file', aFile(client));
  },
};

/** Two clients that want the same file at the same moment. */
export const fetchTwice: Action = {
  weight: 4,
  async act(client) {
    const wanted = aFile(client);
    await Promise.all([get(client, 'file, two at once', wanted), get(client, 'file, two at once', wanted)]);
  },
};

export const head: Action = {
  weight: 3,
  async act(client) {
    const { path, release } = aFile(client);
    const heard = await client.judged('file, HEAD', { path, method: 'HEAD' }, caseOf(release, [200]));
    const length = heard.headers['content-length'];
    if (heard.status !== 200 || length === undefined || length === String(release.contents.size)) return;
    client.session.findings.add('HEAD says another length', `${path}: ${length} for ${release.contents.size}`);
  },
};

/** A part of a file; with If-Range the part of the one that this client knows. */
export const range: Action = {
  weight: 6,
  async act(client) {
    const { path, release } = aFile(client);
    const { size } = release.contents;
    const first = client.random.below(size);
    const last = client.random.between(first, size - 1);
    const known = client.random.chance(0.4) ? client.tagOf(path) : undefined;
    const headers = { range: `bytes=${first}-${last}`, ...(known === undefined ? {} : { 'if-range': known }) };
    const right = known === undefined ? [206] : [200, 206];
    await client.judged('file, Range', { path, headers }, { ...caseOf(release, right), range: [first, last] });
  },
};

export const revalidate: Action = {
  weight: 4,
  async act(client) {
    const { path, release } = aFile(client);
    const known = client.tagOf(path);
    const headers: Record<string, string> = known === undefined ? {} : { 'if-none-match': known };
    await client.judged(
      'file, If-None-Match',
      { path, headers },
      caseOf(release, known === undefined ? [200] : [200, 304]),
      true,
    );
  },
};

/** Goes away in the middle. */
export const leave: Action = {
  weight: 3,
  async act(client) {
    const { path, release } = aFile(client);
    const leaveAfter = client.random.below(release.contents.size);
    await client.judged('file, left', { path, leaveAfter }, caseOf(release, [200]), true);
  },
};

/** What nobody ever had. */
export const missing: Action = {
  weight: 1,
  async act(client) {
    const { ecosystem } = client.anyPackage();
    const nowhere = {
      ...client.anyRelease(client.anyPackage((one) => one.ecosystem === ecosystem)),
      name: `never${client.random.below(50)}`,
    };
    const path = `/${client.random.pick(repositoriesOf(ecosystem.format))}${ecosystem.artifactPath(nowhere)}`;
    await client.judged('file that never was', { path }, { needs: NEEDS, right: [404] });
  },
};

/** What was published here. */
export const fetchOwn: Action = {
  weight: 8,
  async act(client) {
    const { publications } = client.session;
    if (publications.acknowledged.length === 0) return;
    const { path, contents } = client.random.pick(publications.acknowledged);
    await client.judged('file of ours', { path }, { needs: OWN, contents, right: [200] }, true);
  },
};

interface WantedFile {
  readonly path: string;
  readonly release: Release;
}

function aFile(client: Client): WantedFile {
  const release = client.anyRelease(client.anyPackage());
  const { ecosystem } = release;
  const repository = client.random.pick(repositoriesOf(ecosystem.format));
  return { path: `/${repository}${ecosystem.artifactPath(release)}`, release };
}

function get(client: Client, what: string, { path, release }: WantedFile, more: Partial<Wanted> = {}) {
  return client.judged(what, { path, ...more }, caseOf(release, [200]), true);
}

function caseOf(release: Release, right: readonly number[]): Omit<Case, 'server'> {
  return { needs: NEEDS, contents: release.contents, release, right };
}
