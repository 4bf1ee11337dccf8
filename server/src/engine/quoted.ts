import { LRUCache } from 'lru-cache';

const known = new LRUCache<string, string>({ max: 4096 });

/** A text as JSON; the same ones come again and again. */
export function quoted(text: string): string {
  const before = known.get(text);
  if (before !== undefined) return before;
  const json = JSON.stringify(text);
  known.set(text, json);
  return json;
}
