import { randomUUID } from 'node:crypto';

/** Made from the announced digest where there is one, so that a miss and the hits after it agree; else unique to this fetch. */
export function tagOf(digest: string | undefined): string {
  return digest === undefined ? randomUUID() : digest.replace(':', '-').slice(0, 48);
}
