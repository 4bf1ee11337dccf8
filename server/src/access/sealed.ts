import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** `sealed.1.<which key>.<nonce, tag and cipher text>`: the version says how the rest is read. */
const SHAPE = /^sealed\.1\.([\w-]{8})\.([\w-]+)$/;
/** Bytes, as AES-GCM has them (NIST SP 800-38D, sections 5.2.1.1 and 5.2.1.2). */
const [NONCE, TAG] = [12, 16];

interface Key {
  /** Which key it is, without saying anything about it. */
  readonly id: string;
  readonly bytes: Buffer;
}

/** It was sealed under none of the keys that are known here, or was changed since. */
export class Unsealable extends Error {
  override readonly name = 'Unsealable';
}

/**
 * Keeps texts that only who has the secret key can read or make: AES-256-GCM, each under a nonce of its own. `purpose` is
 * part of what is sealed, so that one cannot be put in another's place.
 */
export class Sealer {
  readonly #current: Key;
  readonly #known: ReadonlyMap<string, Key>;

  /** Seals under the first; opens under any of them. */
  constructor(secretKey: string, ...previous: readonly string[]) {
    this.#current = keyOf(secretKey);
    const keys = [...previous.map(keyOf), this.#current];
    this.#known = new Map(keys.map((key) => [key.id, key]));
  }

  seal(text: string, purpose: string): string {
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv('aes-256-gcm', this.#current.bytes, nonce).setAAD(Buffer.from(purpose));
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    const rest = Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url');
    return `sealed.1.${this.#current.id}.${rest}`;
  }

  /** Throws `Unsealable`. */
  open(sealed: string, purpose: string): string {
    const [, id = '', rest = ''] = SHAPE.exec(sealed) ?? [];
    const key = this.#known.get(id);
    if (!key) throw new Unsealable(`${purpose} was sealed under another key`);
    const bytes = Buffer.from(rest, 'base64url');
    try {
      const decipher = createDecipheriv('aes-256-gcm', key.bytes, bytes.subarray(0, NONCE), { authTagLength: TAG })
        .setAAD(Buffer.from(purpose))
        .setAuthTag(bytes.subarray(NONCE, NONCE + TAG));
      return Buffer.concat([decipher.update(bytes.subarray(NONCE + TAG)), decipher.final()]).toString('utf8');
    } catch (cause) {
      throw new Unsealable(`${purpose} is not as it was sealed`, { cause });
    }
  }

  /** Whether it is sealed under the key that is in use now. */
  isCurrent(sealed: string): boolean {
    return SHAPE.exec(sealed)?.[1] === this.#current.id;
  }
}

function keyOf(secretKey: string): Key {
  const derived = (what: string, length: number) =>
    Buffer.from(hkdfSync('sha256', secretKey, '', `entrepot sealed ${what}, 1`, length));
  return { id: derived('key id', 6).toString('base64url'), bytes: derived('key', 32) };
}
