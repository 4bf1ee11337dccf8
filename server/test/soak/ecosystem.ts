import type { Reply } from '../support/fake-upstream-answer.ts';
import type { Release } from './world.ts';

/** One protocol, as far as the soak speaks it: what the upstream says, and what an answer of ours must say. */
export interface Ecosystem {
  readonly format: string;
  /** Whether bytes that are not the right ones can be told by what the index announces. */
  readonly announces: boolean;
  nameOf(nth: number): string;
  versionOf(nth: number): string;
  /** Below the repository; absent: the format has none. */
  indexPath?(name: string): string;
  /** Values of Accept that clients send for an index; the first is what the audit asks with. */
  readonly accepts: readonly (string | undefined)[];
  /** Below the repository, as a client asks for it. */
  artifactPath(release: Release): string;
  /** What the upstream says to a path below its folder; undefined: it never had such a thing. */
  answer(path: string, folder: Folder): Reply | undefined;
  /** What an index of ours says: by version, the digest it announces and where the file is. Throws when it cannot be read. */
  listed(body: string, type: string): ReadonlyMap<string, Listed>;
  /** As the index writes it. */
  announced(release: Release): string;
}

export interface Listed {
  readonly digest: string;
  /** Undefined where the protocol leaves it to the client. */
  readonly url?: string;
}

/** The upstream's side at one moment. */
export interface Folder {
  readonly url: string;
  /** In the order in which they appeared; undefined: there is no such package. */
  releases(name: string): readonly Release[] | undefined;
}

/** The release whose file is at that path of the upstream. */
export function releaseAt(folder: Folder, name: string, has: (release: Release) => boolean): Release | undefined {
  return folder.releases(name)?.find(has);
}

export function document(body: string, type: string): Reply {
  return { body, headers: { 'content-type': type }, etag: tagOf(body) };
}

export function file(release: Release): Reply {
  return {
    body: release.contents.bytes,
    headers: { 'content-type': 'application/octet-stream' },
    etag: release.contents.digest('sha256').slice(0, 32),
    lastModified: new Date(Math.floor(release.at / 1000) * 1000).toUTCString(),
    ranges: true,
  };
}

function tagOf(text: string): string {
  let hash = 2166136261;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 16777619);
  return `${(hash >>> 0).toString(16)}-${text.length}`;
}
