import type { Client, Page } from './client.ts';
import { CommandError } from './client.ts';
import { collectionOf } from './kinds.ts';
import { size, table } from './print.ts';

/** What a command prints, for a person; `data` is the same for a program. */
export interface Printed {
  readonly data: unknown;
  readonly text: string;
}

interface Envelope {
  readonly name: string;
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status: { readonly repository_url?: string };
  readonly revision: number;
  readonly managed_by: string;
}

export async function get(client: Client, kind: string, name: string | undefined): Promise<Printed> {
  const collection = collectionOf(kind);
  if (name !== undefined) {
    const found = await client.json<Envelope>(`api/v2/${collection}/${encodeURIComponent(name)}`);
    const { stringify } = await import('yaml');
    return { data: found, text: stringify(found) };
  }
  const items = await client.all<Envelope>(`api/v2/${collection}`);
  const rows = items.map(({ name, spec, status, revision, managed_by }) => [
    name,
    String(spec['format'] ?? '-'),
    status.repository_url,
    managed_by,
    revision,
  ]);
  return { data: { items }, text: table(['NAME', 'FORMAT', 'ADDRESS', 'MANAGED BY', 'REVISION'], rows) };
}

interface Pull {
  readonly at: string;
  readonly repository: string;
  readonly path: string;
  readonly purl?: string;
  readonly cache: string;
  readonly decision: string;
  readonly rule?: string;
  readonly principal: string;
}

export async function pulls(client: Client, query: Readonly<Record<string, string | undefined>>): Promise<Printed> {
  const page = await client.json<Page<Pull>>('api/v2/pulls', { query });
  const rows = page.items.map(({ at, repository, purl, path, cache, decision, rule, principal }) => [
    at,
    purl ?? path,
    repository,
    decision === 'refused' ? `refused by ${rule ?? 'policy'}` : cache,
    principal,
  ]);
  const more = page.next === undefined ? '' : `more: --after ${page.next}\n`;
  return { data: page, text: `${table(['AT', 'WHAT', 'THROUGH', 'HOW', 'WHO'], rows)}${more}` };
}

interface Targets {
  readonly path?: string;
  readonly prefix?: string;
  readonly purl?: string;
  readonly all?: boolean;
  /** The repository is a hosted one. */
  readonly hosted?: boolean;
}

export async function evict(
  client: Client,
  repository: string,
  { path, prefix, purl, all, hosted }: Targets,
): Promise<Printed> {
  const query = { path, prefix, purl, all: all ? 'true' : undefined };
  const evicted = await client.json<{ objects: number; bytes: number }>(
    `api/v2/${hosted ? 'hosted' : 'remotes'}/${encodeURIComponent(repository)}/objects`,
    { method: 'DELETE', query },
  );
  return {
    data: evicted,
    text: `evicted ${evicted.objects} ${evicted.objects === 1 ? 'object' : 'objects'}, ${size(evicted.bytes)}\n`,
  };
}

interface Explained {
  readonly repository: string;
  readonly allowed: boolean;
  readonly rule?: string;
  readonly reason?: string;
  readonly until?: string;
  readonly nearest?: string;
  readonly evidence?: { readonly source: string; readonly at?: string };
  readonly help?: string;
}

export async function explain(
  client: Client,
  purl: string,
  { repository }: { readonly repository?: string },
): Promise<Printed> {
  const found = await client.json<Explained>('api/v2/explain', { query: { purl, repository } });
  const { allowed, rule, reason, until, nearest, evidence, help } = found;
  const lines = [
    `${purl} is ${allowed ? 'admitted' : 'refused'} in ${found.repository}`,
    ...(reason === undefined ? [] : [`  why: ${reason}`]),
    ...(rule === undefined ? [] : [`  rule: ${rule}`]),
    ...(evidence === undefined ? [] : [`  public since: ${evidence.at ?? 'unknown'} (${evidence.source})`]),
    ...(until === undefined ? [] : [`  until: ${until}`]),
    ...(nearest === undefined ? [] : [`  instead: ${nearest}`]),
    ...(help === undefined ? [] : [`  ${help}`]),
  ];
  return { data: found, text: `${lines.join('\n')}\n` };
}

interface Probe {
  readonly classification: string;
  readonly status?: number;
  readonly url?: string;
  readonly failure?: string;
  readonly timings?: { readonly connect?: number; readonly first_byte: number };
  readonly decision: { readonly allowed: boolean; readonly rule?: string; readonly reason?: string };
  readonly headers?: Readonly<Record<string, string>>;
}

/** Throws `CommandError` when there is no answer, so that a script notices. */
export async function probe(client: Client, remote: string, path: string): Promise<Printed> {
  const found = await client.json<Probe>('api/v2/probe', { method: 'POST', body: { remote, path } });
  const { status, url, failure, timings, decision, classification, headers = {} } = found;
  if (failure !== undefined) throw new CommandError(failure);
  const allowed = decision.allowed ? 'allowed' : `refused by ${decision.rule ?? 'policy'}: ${decision.reason ?? ''}`;
  const lines = [
    `${status} ${url}`,
    `first byte after ${Math.round(timings?.first_byte ?? 0)} ms; ${classification}; ${allowed}`,
    ...Object.entries(headers).map(([name, value]) => `  ${name}: ${value}`),
  ];
  return { data: found, text: `${lines.join('\n')}\n` };
}

interface Stats {
  readonly objects: number;
  readonly blobs: number;
  readonly bytes: number;
  readonly limit?: number;
  readonly orphaned_bytes: number;
  readonly packages: number;
  readonly releases: number;
  readonly pulls: number;
  readonly by_repository: readonly {
    readonly repository: string;
    readonly objects: number;
    readonly bytes: number;
    readonly limit?: number;
  }[];
  readonly swept_at?: string;
  readonly scrub: { readonly blobs: number; readonly last?: { readonly at: string; readonly damaged: number } };
  readonly quarantined: number;
  readonly lost: readonly { readonly repository: string; readonly path: string }[];
}

export async function stats(client: Client): Promise<Printed> {
  const found = await client.json<Stats>('api/v2/stats');
  const counts = (['objects', 'blobs', 'packages', 'releases', 'pulls'] as const).map(
    (name) => `${found[name]} ${name}`,
  );
  const rows = found.by_repository.map(({ repository, objects, bytes, limit }) => [
    repository,
    objects,
    size(bytes),
    limit === undefined ? '-' : size(limit),
  ]);
  const { bytes, limit, orphaned_bytes: orphaned, swept_at: swept = 'never', scrub, quarantined, lost } = found;
  const { last } = scrub;
  const lines = [
    `${counts.join(', ')}, ${size(bytes)}${limit === undefined ? '' : ` of at most ${size(limit)}`}`,
    `unreferenced: ${size(orphaned)}, last looked for: ${swept}`,
    `read again: ${scrub.blobs} blobs of this round; last round: ${last ? `${last.at}, ${last.damaged} damaged` : 'none'}; quarantined: ${quarantined}`,
    ...lost.map(({ repository, path }) => `damaged, publish it again: ${repository}/${path}`),
  ];
  return {
    data: found,
    text: `${lines.join('\n')}\n${table(['REPOSITORY', 'OBJECTS', 'SIZE', 'LIMIT'], rows)}`,
  };
}
