import type { Engine } from '../engine/engine.ts';
import type { AnyFormat } from '../engine/format.ts';
import type { Repository } from '../engine/repository.ts';

export type Repositories = Pick<Engine, 'repository' | 'formatAt' | 'mirrorOf'>;

/** Where an address leads. */
export type Routed =
  | Addressed
  /** The root of a protocol, where clients see whether it is spoken and whether they are known. */
  | { readonly kind: 'ping'; readonly format: AnyFormat }
  /** Where clients exchange what they sign in with for a token. */
  | { readonly kind: 'token'; readonly format: AnyFormat }
  /** To none of the repositories; why, in words for a person. */
  | { readonly kind: 'nowhere'; readonly format: AnyFormat; readonly reason: string };

/** A request's repository: by its own name, under ArtifactAPI's addresses, or below the root of its protocol. */
export interface Addressed {
  readonly kind: 'repository';
  readonly repository: Repository;
  /** Path of the repository: `/npm`, `/api/v1/virtual/npm`, `/v2/oci`. */
  readonly mount: string;
  /** What follows, as sent. */
  readonly rest: string;
  readonly query: string;
  /** How clients call what is below the mount: what the names there begin with. */
  readonly prefix: string;
  /** Sent with the answer. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Below the root of a protocol whose clients use tokens. */
export const TOKEN_ADDRESS = '_token';

const ADDRESS = /^(?:\/api\/v1\/(remote|virtual))?\/([^/]+)(\/.*)?$/s;

/** Undefined: the address is none of a repository's. */
export function routeOf(url: string, repositories: Repositories): Routed | undefined {
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const query = mark < 0 ? '' : url.slice(mark + 1);
  const [, kind, name, rest = ''] = ADDRESS.exec(path) ?? [];
  if (name === undefined) return undefined;
  const format = kind === undefined ? repositories.formatAt(name) : undefined;
  if (format) return belowRoot(format, { root: name, rest, query }, repositories);
  const repository = repositories.repository(name);
  if (!repository || (kind !== undefined && kind !== repository.kind)) return undefined;
  const mount = path.slice(0, path.length - rest.length);
  const { root } = repository.format.traits;
  if (root === undefined) return addressed(repository, { mount, rest, query });
  const [, below] = new RegExp(`^/${root}(/.*)?$`, 's').exec(rest) ?? [];
  if (rest !== `/${root}` && below === undefined)
    return {
      kind: 'nowhere',
      format: repository.format,
      reason: `"${name}" is below /${root}/${name}/, where ${repository.format.traits.title} clients look.`,
    };
  if (below === undefined || below === '/') return { kind: 'ping', format: repository.format };
  return addressed(repository, { mount: `${mount}/${root}`, rest: below, query });
}

interface BelowRoot {
  readonly root: string;
  readonly rest: string;
  readonly query: string;
}

/**
 * The repository that the first segment names; else the one that mirrors the registry which the client says it wants
 * (`?ns=`, containerd's mirrors); else the one that the protocol is mounted as.
 */
function belowRoot(format: AnyFormat, { root, rest, query }: BelowRoot, repositories: Repositories): Routed {
  const { title, mount, tokens } = format.traits;
  if (rest === '' || rest === '/') return { kind: 'ping', format };
  if (tokens && rest === `/${TOKEN_ADDRESS}`) return { kind: 'token', format };
  const own = (name: string): Repository | undefined => {
    const found = repositories.repository(name);
    return found?.format.traits.root === root ? found : undefined;
  };
  const [, first = '', below = ''] = /^\/([^/]*)(.*)$/s.exec(rest) ?? [];
  const named = own(first);
  if (named) return addressed(named, { mount: `/${root}/${first}`, rest: below, query, prefix: `${first}/` });
  const namespace = new URLSearchParams(query).get('ns');
  if (namespace !== null) {
    const mirror = repositories.mirrorOf(root, namespace.toLowerCase());
    if (mirror) return addressed(mirror, { mount: `/${root}`, rest, query, headers: { 'oci-namespace': namespace } });
    const reason = `None of the repositories here mirrors ${JSON.stringify(namespace.slice(0, 100))}, which ns asks for.`;
    return { kind: 'nowhere', format, reason };
  }
  const mounted = own(mount);
  if (mounted) return addressed(mounted, { mount: `/${root}`, rest, query });
  const reason = `There is no ${title} repository ${JSON.stringify(first.slice(0, 100))}, nor one called "${mount}" for what names none.`;
  return { kind: 'nowhere', format, reason };
}

function addressed(
  repository: Repository,
  found: Pick<Addressed, 'mount' | 'rest' | 'query'> & Partial<Addressed>,
): Addressed {
  return { prefix: '', headers: {}, ...found, kind: 'repository', repository };
}
