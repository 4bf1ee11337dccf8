import { bytes } from '../../contract/bytes.ts';
import { duration } from '../../contract/duration.ts';
import { compile, type Ruleset } from '../../policy/rules.ts';
import type { Route } from '../../upstream/upstream.ts';
import type { AnyFormat, ArtifactTarget } from '../format.ts';
import { packageUrl } from '../purl.ts';
import type { Terms } from './freshness.ts';

/** A remote's spec as the engine uses it: durations in milliseconds, sizes in bytes, patterns compiled. */
export interface RemoteSettings {
  readonly name: string;
  /** Of the upstream, no trailing slash. */
  readonly url: string;
  /** Of the format. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly index: Terms;
  readonly negativeTtl: number;
  readonly maxIndexSize: number;
  readonly maxArtifactSize: number;
  readonly route: Route;
  /** Undefined: everything is admitted. */
  readonly rules: Ruleset | undefined;
  /** What becomes of a file that the upstream changed though it must not. */
  readonly onMutation: 'refuse' | 'serve_first';
  /** `mutable_patterns`, then `immutable_patterns`, then what the format says. */
  termsOf(target: ArtifactTarget): 'immutable' | Terms;
  /** Whether its bytes may change, by the same rules. */
  isMutable(target: ArtifactTarget): boolean;
  purlOf(name: string, version?: string): string;
}

/** The fields of a remote's spec that the engine reads, defaults filled in. */
export interface RemoteSpec {
  readonly url?: string;
  readonly index_ttl: string;
  readonly artifact_ttl: string;
  readonly negative_ttl: string;
  readonly stale_if_error: string;
  readonly max_index_size: string;
  readonly max_artifact_size?: string;
  readonly patterns?: readonly string[];
  readonly blocklist?: readonly string[];
  readonly ban_tags?: readonly string[];
  readonly on_mutation?: 'refuse' | 'serve_first';
  readonly concurrency?: number;
  readonly mutable_patterns?: readonly string[];
  readonly immutable_patterns?: readonly string[];
  readonly auth?: Auth;
  readonly headers?: Readonly<Record<string, string>>;
  readonly ca_pem?: string;
  readonly client_cert?: { readonly cert_pem: string; readonly key_pem: string };
  readonly proxy_url?: string;
  readonly proxy_auth?: { readonly username: string; readonly password: string };
  readonly allow_private_network?: boolean;
  readonly timeouts?: { readonly connect?: string; readonly headers?: string; readonly idle?: string };
  readonly [option: string]: unknown;
}

interface Auth {
  readonly type: 'bearer' | 'basic' | 'header';
  readonly token?: string;
  readonly username?: string;
  readonly password?: string;
  readonly name?: string;
  readonly value?: string;
}

/** `fallback`: the public registry of the format, for a spec without `url`. */
export function remoteSettings(
  name: string,
  spec: RemoteSpec,
  format: AnyFormat,
  fallback: string | undefined,
): RemoteSettings {
  const url = (spec.url ?? fallback ?? '').replace(/\/+$/, '');
  const ifError = duration(spec.stale_if_error);
  const index = terms(duration(spec.index_ttl), ifError);
  const artifactTtl = duration(spec.artifact_ttl);
  const immutable = artifactTtl === 0 ? 'immutable' : terms(artifactTtl, ifError);
  const mutables = (spec.mutable_patterns ?? []).map(compile);
  const immutables = (spec.immutable_patterns ?? []).map(compile);
  const isMutable = (target: ArtifactTarget): boolean => {
    if (mutables.some((pattern) => pattern.matcher(target.path).find())) return true;
    if (immutables.some((pattern) => pattern.matcher(target.path).find())) return false;
    return target.mutable === true;
  };
  const options = (spec[format.id] ?? {}) as Record<string, unknown>;
  return {
    name,
    url,
    options,
    index,
    negativeTtl: duration(spec.negative_ttl),
    maxIndexSize: bytes(spec.max_index_size),
    maxArtifactSize: spec.max_artifact_size === undefined ? Number.MAX_SAFE_INTEGER : bytes(spec.max_artifact_size),
    route: { remote: name, ...routeOf(url, spec, format) },
    rules: rulesOf(name, spec),
    onMutation: spec.on_mutation ?? 'refuse',
    termsOf: (target) => (isMutable(target) ? index : immutable),
    isMutable,
    purlOf: (packageName, version) => packageUrl(format, options, packageName, version),
  };
}

/** A copy answers at once for one more `ttl` while the upstream is asked behind. */
function terms(ttl: number, ifError: number): Terms {
  return { ttl, whileRevalidating: ttl, ifError };
}

function rulesOf(repository: string, spec: RemoteSpec): Ruleset | undefined {
  const patterns = spec.patterns ?? [];
  const blocklist = spec.blocklist ?? [];
  const banTags = spec.ban_tags ?? [];
  const some = patterns.length > 0 || blocklist.length > 0 || banTags.length > 0;
  return some ? { repository, patterns, blocklist, banTags } : undefined;
}

function routeOf(url: string, spec: RemoteSpec, { traits }: AnyFormat): Route {
  const timeouts = spec.timeouts ?? {};
  const tokens = traits.tokens ? tokensOf(spec.auth) : undefined;
  return {
    origin: new URL(url).origin,
    headers: { ...lowerCased(spec.headers ?? {}), ...(tokens ? {} : authorization(spec.auth)) },
    ...(tokens === undefined ? {} : { tokens }),
    allowPrivateNetwork: spec.allow_private_network ?? false,
    ...(spec.concurrency === undefined ? {} : { concurrency: spec.concurrency }),
    ...(spec.ca_pem === undefined ? {} : { caPem: spec.ca_pem }),
    ...(spec.client_cert === undefined
      ? {}
      : { clientCert: { certPem: spec.client_cert.cert_pem, keyPem: spec.client_cert.key_pem } }),
    ...(spec.proxy_url === undefined ? {} : { proxyUrl: proxyOf(spec.proxy_url, spec.proxy_auth) }),
    timeouts: {
      connect: duration(timeouts.connect ?? '10s'),
      headers: duration(timeouts.headers ?? '30s'),
      idle: duration(timeouts.idle ?? '60s'),
    },
  };
}

function proxyOf(address: string, auth: RemoteSpec['proxy_auth']): string {
  const url = new URL(address);
  if (auth) {
    url.username = encodeURIComponent(auth.username);
    url.password = encodeURIComponent(auth.password);
  }
  return url.href;
}

/** Undefined: what the remote declares is sent as it stands, and no token is asked for. */
function tokensOf(auth: Auth | undefined): Route['tokens'] {
  if (!auth) return {};
  return auth.type === 'basic' ? { username: auth.username ?? '', password: auth.password ?? '' } : undefined;
}

function authorization(auth: Auth | undefined): Record<string, string> {
  if (!auth) return {};
  if (auth.type === 'bearer') return { authorization: `Bearer ${auth.token ?? ''}` };
  if (auth.type === 'header') return { [(auth.name ?? '').toLowerCase()]: auth.value ?? '' };
  return { authorization: `Basic ${Buffer.from(`${auth.username ?? ''}:${auth.password ?? ''}`).toString('base64')}` };
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
