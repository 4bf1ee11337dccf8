import { LRUCache } from 'lru-cache';

/**
 * A cache of so many entries that takes memory as it fills. There is one for each of hundreds of repositories; `max` would
 * take the room of all entries at once.
 */
export function grownCache<Value extends NonNullable<unknown>>(
  most: number,
  options: { readonly ttl?: number } = {},
): LRUCache<string, Value> {
  return new LRUCache({ maxSize: most, sizeCalculation: () => 1, ...options });
}
