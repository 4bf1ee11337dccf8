import type { Caller } from './caller.ts';
import { isLoopback } from './settings-parse.ts';

export interface Addresses {
  readonly baseUrl: string | undefined;
  readonly hosts: readonly string[];
  /** Where it listens: `http://127.0.0.1:8080`. */
  readonly listening: string;
}

/**
 * Scheme and authority that links in our answers start with. A Host header is believed only when it is one of `hosts`, or a
 * loopback name on the port that is listened at: anything else would let a caller put his own host into what is cached.
 */
export function originFor({ host, protocol: forwarded }: Caller, { baseUrl, hosts, listening }: Addresses): string {
  if (baseUrl !== undefined) return baseUrl;
  const { protocol: own, hostname, port } = new URL(listening);
  const protocol = forwarded === undefined ? own : `${forwarded}:`;
  const asked = host?.toLowerCase();
  if (asked !== undefined && hosts.includes(asked)) return `${protocol}//${asked}`;
  if (hosts[0] !== undefined) return `${protocol}//${hosts[0]}`;
  if (asked === undefined || !isLoopback(bare(hostname))) return listening;
  const [, name = '', askedPort = ''] = /^(\[[0-9a-f:.]+\]|[^:]+)(?::(\d+))?$/.exec(asked) ?? [];
  return isLoopback(bare(name)) && askedPort === port ? `${protocol}//${asked}` : listening;
}

/** The one address that is the same whoever asks: what is written into a resource's status. */
export function publicOrigin({ baseUrl, hosts, listening }: Addresses): string {
  return originFor({}, { baseUrl, hosts, listening });
}

/** An IPv6 address without its brackets. */
function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}
