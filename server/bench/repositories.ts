import { fetched } from './measure.ts';
import { folderOf, type Sample } from './sample.ts';
import type { Entrepot } from './servers.ts';

interface Spec {
  readonly name: string;
  readonly [field: string]: unknown;
}

/** The address of a repository that has what the sample has, as it is when a client has read what comes before the rest. */
export async function repositoryOf(sample: Sample, entrepot: Entrepot, upstream: string): Promise<string> {
  const name = `bench-${sample.format}`;
  const url = [entrepot.url, sample.root, name].filter(Boolean).join('/');
  const { format } = sample;
  if (sample.kind === 'hosted') {
    await declared(entrepot, 'hosted', { name, format });
    await publish(sample, url, entrepot.token);
  } else {
    const at = upstream + folderOf(sample);
    await declared(entrepot, 'remotes', { name, format, url: at, allow_private_network: true, index_ttl: '1h' });
  }
  for (const path of sample.before ?? []) await fetched(url + path);
  return url;
}

/** Throws with the answer when it is not taken. */
export async function declared({ url, token }: Entrepot, collection: string, spec: Spec): Promise<void> {
  const response = await fetch(`${url}/api/v2/${collection}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(spec),
  });
  if (response.status !== 201)
    throw new Error(`${spec.name} was not made: ${response.status} ${await response.text()}`);
}

async function publish(sample: Sample, url: string, token: string): Promise<void> {
  const authorization = `Basic ${Buffer.from(`bench:${token}`).toString('base64')}`;
  for (const [path, { body, type }] of Object.entries(sample.answers(url))) {
    const headers = { authorization, 'content-type': type };
    const response = await fetch(url + path, { method: 'PUT', headers, body: new Uint8Array(body) });
    if (!response.ok) throw new Error(`${url}${path} was not taken: ${response.status} ${await response.text()}`);
  }
}
