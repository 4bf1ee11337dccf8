import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Outcome } from '../support/clients.ts';
import type { ProxyQuirk, ProxyRule } from '../support/quirky-proxy.ts';

/** Digests, by name. */
export type Held = Readonly<Record<string, string>>;

/** Absolute path of a program that the client needs. */
export type Tool = (name: string) => string;

/** A client with empty caches and a project that takes its packages from one repository. */
export interface Machine {
  build(): Promise<Outcome>;
  /** What the client has taken in. */
  has(): Promise<Held>;
  remove(): Promise<void>;
}

/** An upstream that has what the project needs. */
export interface Origin {
  /** Without a trailing slash. */
  readonly url: string;
  stop(): Promise<unknown>;
}

/** A client of an upstream with quirks. */
export interface QuirkyClient {
  readonly format: string;
  /** Programs, and how each is got. */
  readonly needs: Readonly<Record<string, string>>;
  readonly upstream: (tool: Tool) => Promise<Origin>;
  /** `repository`: its URL, without a trailing slash. */
  readonly fresh: (repository: string, tool: Tool) => Promise<Machine>;
  /** Faults that pass when the server or the client asks again. */
  readonly passing: readonly ProxyRule[];
  /** Faults that stay, each with what the client says then; a list for each time it tries. */
  readonly lasting: readonly (readonly Lasting[])[];
}

export interface Lasting {
  readonly rule: ProxyRule;
  readonly says: RegExp;
}

export const BUSY: ProxyQuirk = { kind: 'status', status: 503, retryAfter: 1 };
export const TOO_MANY: ProxyQuirk = { kind: 'status', status: 429, retryAfter: 0 };
export const SLOW: ProxyQuirk = { kind: 'slow', firstByteMs: 2000 };
export const DROP: ProxyQuirk = { kind: 'drop' };
export const CUT: ProxyQuirk = { kind: 'cut' };
export const REDIRECT: ProxyQuirk = { kind: 'redirect' };

/** For each path, the first time it is asked for. */
export const first = (paths: RegExp, quirk: ProxyQuirk): ProxyRule => ({ paths, quirk, times: 1 });

/** Whatever is asked for, and met by no rule before. */
export const otherwise = (kind: 'no_validators' | 'changing_etag', paths = /^/): ProxyRule => ({
  paths,
  quirk: { kind },
});

export const loginPage = (paths: RegExp, says = IN_PLACE): Lasting => ({
  rule: { paths, quirk: { kind: 'login_page' } },
  says,
});
export const cutOff = (paths: RegExp, says = BROKE_OFF): Lasting => ({ rule: { paths, quirk: CUT }, says });

/** As the server puts it. */
const IN_PLACE = /sent a web page in place of \S+: is there a login or a proxy in between\?/;
const BROKE_OFF = /broke off in the middle of a body/;

export const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Of the files below a folder that are named so, by path, where the server's address is left out. */
export async function filesOf(root: string, named: RegExp): Promise<Held> {
  const entries = await readdir(root, { recursive: true }).catch(() => []);
  const files = entries.filter((path) => named.test(path)).sort();
  const read = async (path: string): Promise<[string, string]> => [
    path.replace(/127\.0\.0\.1[-:]\w+?(?=[/_])/, ''),
    sha256(await readFile(join(root, path))),
  ];
  return Object.fromEntries(await Promise.all(files.map(read)));
}
