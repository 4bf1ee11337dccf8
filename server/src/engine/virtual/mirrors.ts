import type { Exchange } from '../remote/exchange.ts';
import type { Repository } from '../repository.ts';

/** As far as it matters to what a repository mirrors. */
export interface Mirror extends Pick<Repository, 'name' | 'kind' | 'format' | 'options'> {
  /** Itself and its members. */
  readonly uses: readonly string[];
  readonly exchange?: Exchange;
}

/** The repository that has what clients of `root` know as the registry `namespace`: virtuals first, then by name. */
export function mirrorIn<Found extends Mirror>(
  repositories: ReadonlyMap<string, Found>,
  root: string,
  namespace: string,
): Found | undefined {
  const isKnown = (name: string): boolean => namespacesOf(repositories.get(name)).includes(namespace);
  const mirrors = [...repositories.values()].filter(
    ({ format, uses }) => format.traits.root === root && uses.some(isKnown),
  );
  const rank = ({ kind, name }: Found): string => `${kind === 'virtual' ? 0 : 1} ${name}`;
  return mirrors.sort((one, other) => (rank(one) < rank(other) ? -1 : 1))[0];
}

function namespacesOf(mirror: Mirror | undefined): readonly string[] {
  if (!mirror?.exchange) return [];
  const { url } = mirror.exchange.settings;
  return mirror.format.namespaces?.(url, mirror.options) ?? [new URL(url).host];
}
