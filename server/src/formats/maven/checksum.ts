import type { Algorithm, Digest, Target } from '../../engine/format.ts';

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

/** As other repository managers send it with a file: `x-checksum-sha1: <hex>`. */
export function checksumHeaders(target: Target | undefined, digest: string | undefined): Record<string, string> {
  const [algorithm, hex] = digest?.split(':') ?? [];
  if (target?.kind !== 'artifact' || algorithm === undefined || hex === undefined) return {};
  return { [`x-checksum-${algorithm}`]: hex };
}
