import type { ArtifactTarget, IndexTarget, Place } from '../../engine/format.ts';
import { ACCEPT_MANIFEST, MANIFEST_TYPES } from './media-types.ts';
import { CATALOG } from './targets.ts';

const HUB = /(?:^|\.)docker\.(?:io|com)$/;
/** As many as most registries put on a page. */
const PAGE = 'n=1000';

/** Where a registry's names begin. */
interface Root {
  /** Below the remote's `url`. */
  readonly path: string;
  /** What of the names stands in the remote's `url` already: that of a project. */
  readonly project: string;
  readonly hub: boolean;
}

/** `upstream`: the remote's `url`. */
export function placesFor(target: ArtifactTarget | IndexTarget, upstream: string | undefined): readonly Place[] {
  const root = rootOf(upstream);
  if (target.name === undefined) return [{ path: `${root.path}${paged(target.path)}`, ...catalogAsked }];
  const name = root.hub && !target.name.includes('/') ? `library/${target.name}` : target.name;
  const scope = `repository:${root.project}${name}:pull`;
  const at = (rest: string, accept: string): Place => ({
    path: `${root.path}${name}${rest}`,
    headers: { accept },
    scope,
  });
  const rest = target.path.slice(target.name.length);
  if (target.kind === 'artifact') return [at(rest, rest.startsWith('/blobs/') ? '*/*' : ACCEPT_MANIFEST)];
  const place = at(paged(rest), acceptOf(target.view));
  if (target.view === 'tag') return [{ ...place, method: 'HEAD', take: ['docker-content-digest'] }, place];
  const fallback = fallbackTag(rest);
  return fallback === undefined ? [place] : [place, at(`/manifests/${fallback}`, MANIFEST_TYPES.index)];
}

/** The host by which images of the upstream are called; Docker Hub's names go by another than its registry has. */
export function namespacesOf(url: string): readonly string[] {
  const host = URL.parse(url)?.host;
  if (host === undefined) return [];
  // Below a project the same name would be another image.
  if (rootOf(url).project !== '') return [];
  return isHub(host) ? [...new Set(['docker.io', host])] : [host];
}

/** A `url` may lead to a registry, to a registry below a path, or to a project within one (`https://host/v2/project`). */
function rootOf(upstream: string | undefined): Root {
  const url = upstream === undefined ? null : URL.parse(upstream);
  const within = /\/v2(?:\/(.*?))?\/*$/.exec(url?.pathname ?? '');
  const project = within?.[1] ? `${within[1]}/` : '';
  return { path: within ? '' : 'v2/', project, hub: url !== null && isHub(url.host) && project === '' };
}

const isHub = (host: string): boolean => HUB.test(host);

const catalogAsked = { headers: { accept: 'application/json' }, scope: 'registry:catalog:*' } as const;

const paged = (path: string): string => (path.endsWith('/tags/list') || path === CATALOG ? `${path}?${PAGE}` : path);

function acceptOf(view: string): string {
  if (view.startsWith('referrers')) return MANIFEST_TYPES.index;
  return view === 'tag' || view === 'manifest' ? ACCEPT_MANIFEST : 'application/json';
}

/** Distribution spec, "Referrers Tag Schema": where a registry without the API keeps them. */
function fallbackTag(rest: string): string | undefined {
  const [, algorithm, hex] = /^\/referrers\/(sha256|sha512):([0-9a-f]{64})[0-9a-f]*$/.exec(rest) ?? [];
  return algorithm === undefined ? undefined : `${algorithm}-${hex}`;
}
