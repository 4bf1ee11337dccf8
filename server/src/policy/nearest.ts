import type { Decision } from './decision.ts';
import type { VersionOrder } from './versions.ts';

export interface Judged {
  readonly version: string;
  readonly decision: Decision;
  /** Never suggested. */
  readonly yanked?: boolean;
}

/**
 * The version to use instead: the highest admissible one below what was wanted, else the lowest above. A prerelease only
 * where one was wanted, or where nothing else is admissible. Without an order, versions count as listed, oldest first.
 */
export function nearest(wanted: string, versions: readonly Judged[], order?: VersionOrder): string | undefined {
  const stable = (version: string): boolean => !order?.canonical(version) || !order.isPrerelease(version);
  const usable = versions.filter(({ version, decision, yanked }) => decision.allowed && !yanked && version !== wanted);
  const ordered = order ? usable.filter(({ version }) => order.canonical(version) !== undefined) : usable;
  const preferred = stable(wanted) ? ordered.filter(({ version }) => stable(version)) : ordered;
  const pool = (preferred.length > 0 ? preferred : ordered).map(({ version }) => version);
  return order && order.canonical(wanted) !== undefined
    ? byOrder(wanted, pool, order)
    : byPlace(wanted, pool, versions);
}

function byOrder(wanted: string, pool: readonly string[], order: VersionOrder): string | undefined {
  const sorted = pool.toSorted((one, other) => order.compare(one, other));
  return sorted.findLast((version) => order.compare(version, wanted) <= 0) ?? sorted[0];
}

function byPlace(wanted: string, pool: readonly string[], versions: readonly Judged[]): string | undefined {
  const places = new Map(versions.map(({ version }, place) => [version, place]));
  const own = places.get(wanted) ?? versions.length;
  return pool.findLast((version) => (places.get(version) ?? 0) < own) ?? pool[0];
}
