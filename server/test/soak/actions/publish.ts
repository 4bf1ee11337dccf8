import { npmDocument } from '../../support/hosted-client.ts';
import type { Client } from '../client.ts';
import { Contents } from '../contents.ts';
import type { Publication } from '../publications.ts';
import { HOSTED } from '../repositories.ts';
import type { Action } from './action.ts';

const NEEDS = ['database', 'store', 'coordination', 'process'] as const;

export const publishFile: Action = {
  weight: 2,
  async act(client) {
    const version = nextVersion(client);
    const name = `${client.name}-tool`;
    const publication = made(client, HOSTED.generic, name, version, `/${name}/${version}/tool.bin`);
    await publish(client, publication, publication.path, {
      body: publication.contents.bytes,
      headers: { 'content-type': 'application/octet-stream' },
    });
  },
};

export const publishPackage: Action = {
  weight: 2,
  async act(client) {
    const version = nextVersion(client);
    const name = `${client.name}-parcel-${client.random.below(3)}`;
    const publication = made(client, HOSTED.npm, name, version, `/${name}/-/${name}-${version}.tgz`);
    const body = JSON.stringify(npmDocument({ name, version, tarball: publication.contents.bytes }));
    await publish(client, publication, `/${HOSTED.npm}/${name}`, {
      body,
      headers: { 'content-type': 'application/json' },
    });
  },
};

const counts = new WeakMap<Client, number>();

/** Never the same twice: a version is published once, whatever became of it. */
function nextVersion(client: Client): string {
  const nth = (counts.get(client) ?? 0) + 1;
  counts.set(client, nth);
  return `1.0.${nth}`;
}

function made({ session }: Client, repository: string, name: string, version: string, path: string): Publication {
  const contents = new Contents([session.seed, repository, name, version].join(' '));
  return { repository, path: `/${repository}${path}`, contents, name, version };
}

async function publish(
  client: Client,
  publication: Publication,
  path: string,
  { body, headers }: { readonly body: string | Buffer; readonly headers: Record<string, string> },
): Promise<void> {
  const { publications } = client.session;
  publications.all.push(publication);
  const wanted = { method: 'PUT', path, body, headers, admin: true } as const;
  const heard = await client.judged('publish', wanted, { needs: NEEDS, right: [200, 201] });
  if (heard.status === 200 || heard.status === 201) publication.acknowledgedAt = heard.ended;
}
