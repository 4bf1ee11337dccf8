const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Of `sha256:<hex>`, the hex. Only this shape becomes a path or a key, so nothing leaves the store. Throws `TypeError`. */
export function hexOf(digest: string): string {
  if (!DIGEST.test(digest)) throw new TypeError(`not a SHA-256 digest: ${digest}`);
  return digest.slice('sha256:'.length);
}

/** `ab/cd/<hex>` */
export function placeOf(digest: string): string {
  const hex = hexOf(digest);
  return `${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex}`;
}
