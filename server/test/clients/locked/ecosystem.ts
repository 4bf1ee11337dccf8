import type { FreshMachine, Skippable } from '../../support/clients.ts';

/** A release that a lock file pins, as the repository showed it before there was a rule. */
export interface Release {
  /** Epoch milliseconds; undefined: nothing says so. */
  readonly published: number | undefined;
  /** Of its file, or of one of them. */
  readonly url: string;
}

/** A client that writes a lock file, and how the registry that it asks dates what is in there. */
export interface Ecosystem {
  readonly client: string;
  readonly format: string;
  /** Name of the lock file. */
  readonly file: string;
  /** Writes the lock file into the machine's project; `registry`: address of the repository, no slash at its end. */
  readonly lock: (context: Skippable, machine: FreshMachine, registry: string) => Promise<void>;
  readonly releaseOf: (purl: string, registry: string) => Promise<Release>;
}

/** `{ name: '@acme/app', version: '1.0.0' }`; the folders of the URL are in the name. */
export function partsOf(purl: string): { readonly name: string; readonly version: string } {
  const [, name = '', version = ''] = /^pkg:[^/]+\/(.+)@([^@?#]+)/.exec(purl) ?? [];
  return { name: decodeURIComponent(name), version: decodeURIComponent(version) };
}

/** Throws with the address when there is no such thing. */
export async function found(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  const answer = await fetch(url, { headers: { ...headers } });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
  return answer;
}

/** Epoch milliseconds; undefined without the header. */
export function lastModifiedOf({ headers }: Response): number | undefined {
  const said = headers.get('last-modified');
  return said === null ? undefined : Date.parse(said);
}
