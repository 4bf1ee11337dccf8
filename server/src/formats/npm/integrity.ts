import type { Algorithm, Digest } from '../../engine/format.ts';
import { type Json, ownText } from '../json.ts';

const BYTES: Readonly<Partial<Record<Algorithm, number>>> = { sha512: 64, sha384: 48, sha256: 32, sha1: 20 };
const STRONGEST_FIRST = Object.keys(BYTES) as Algorithm[];

/** The strongest digest of `dist`: of its `integrity` (Subresource Integrity), else the SHA-1 in `shasum`. */
export function digestOf(dist: Json): Digest | undefined {
  const hashes = (ownText(dist, 'integrity') ?? '').split(/\s+/);
  for (const algorithm of STRONGEST_FIRST) {
    const hash = hashes.find((each) => each.startsWith(`${algorithm}-`));
    const bytes = Buffer.from(hash?.slice(algorithm.length + 1).replace(/\?.*/, '') ?? '', 'base64');
    if (bytes.length === BYTES[algorithm]) return `${algorithm}:${bytes.toString('hex')}`;
  }
  const shasum = ownText(dist, 'shasum') ?? '';
  return /^[0-9a-f]{40}$/i.test(shasum) ? `sha1:${shasum.toLowerCase()}` : undefined;
}
