import type { Listed } from '../store/store.ts';

/** The next of what is listed, at most so many; fewer: there are no more. */
export async function chunkOf(listing: AsyncIterator<Listed>, most: number): Promise<readonly Listed[]> {
  const found: Listed[] = [];
  while (found.length < most) {
    const one = await listing.next();
    if (one.done) break;
    found.push(one.value);
  }
  return found;
}
