import type { Session } from './session.ts';

/** Milliseconds. */
export const INDEX_TTL = 2000;

/** Through which repositories the upstream's packages of a format are asked for; the first is the remote itself. */
export function repositoriesOf(format: string): readonly string[] {
  return format === 'npm' ? ['npm-far', 'npm-all'] : [`${format}-far`];
}

export const HOSTED = { npm: 'npm-own', generic: 'generic-own' } as const;

/** Holds files to which nothing is added: what was answered from it is not answered anew because of that. */
export const STILL = 'npm-still';

/** Declares what is soaked. Throws with the answer when something is not taken. */
export async function declare({ addresses, installation, upstream, world }: Session): Promise<void> {
  const put = async (collection: string, name: string, spec: object): Promise<void> => {
    const response = await fetch(`${addresses[0]}/api/v2/${collection}/${name}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${installation.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name, ...spec }),
    });
    if (!response.ok) throw new Error(`${name} was not declared: ${response.status} ${await response.text()}`);
  };
  for (const format of new Set(world.packages.map(({ ecosystem }) => ecosystem.format)))
    await put('remotes', `${format}-far`, remoteSpec(format, upstream.urlOf(format)));
  for (const [format, name] of Object.entries(HOSTED)) await put('hosted', name, { format });
  await put('hosted', STILL, { format: 'npm' });
  await put('virtuals', 'npm-all', { format: 'npm', members: [HOSTED.npm, 'npm-far'] });
}

export function remoteSpec(format: string, url: string, maxSize?: string): object {
  return {
    format,
    url,
    allow_private_network: true,
    index_ttl: `${INDEX_TTL}ms`,
    negative_ttl: '2s',
    timeouts: { connect: '1s', headers: '2s', idle: '2s' },
    ...(maxSize === undefined ? {} : { max_size: maxSize }),
  };
}
