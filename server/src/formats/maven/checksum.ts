import type { Algorithm, Digest } from '../../engine/format.ts';

const HEX_DIGITS: Readonly<Record<Algorithm, number>> = { md5: 32, sha1: 40, sha256: 64, sha384: 96, sha512: 128 };

/**
 * The digest that a checksum file announces: `<hex>`, `<hex>  <file>`, `SHA1(<file>)= <hex>`, in any case; undefined when it
 * has none of that length.
 */
export function readChecksum(text: string, algorithm: Algorithm): Digest | undefined {
  const words = text.split(/[\s=*]+/);
  const hex = words.find((word) => word.length === HEX_DIGITS[algorithm] && /^[0-9a-f]+$/i.test(word));
  return hex === undefined ? undefined : `${algorithm}:${hex.toLowerCase()}`;
}
