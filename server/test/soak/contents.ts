import { createCipheriv, createHash } from 'node:crypto';
import { Random } from './random.ts';

/** Bytes that follow from their label, so that nobody has to keep them to know them again. */
export class Contents {
  readonly size: number;
  readonly #label: string;
  readonly #digests = new Map<string, Buffer>();

  /** `size`: default: mostly some kilobytes, now and then some hundreds, seldom megabytes. */
  constructor(label: string, size = sizeOf(label)) {
    this.#label = label;
    this.size = size;
  }

  /** Made anew each time. */
  get bytes(): Buffer {
    const key = createHash('sha256').update(this.#label).digest();
    return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(this.size));
  }

  digest(algorithm: 'sha1' | 'sha256' | 'sha512', encoding: 'hex' | 'base64' = 'hex'): string {
    const digest = this.#digests.get(algorithm) ?? createHash(algorithm).update(this.bytes).digest();
    this.#digests.set(algorithm, digest);
    return digest.toString(encoding);
  }

  /** SHA-256 of the bytes from `start` on, `end` included, in hex. */
  digestOf(start: number, end: number): string {
    return createHash('sha256')
      .update(this.bytes.subarray(start, end + 1))
      .digest('hex');
  }
}

/** Above and below what is checked before its first byte is sent (64 KiB), and what is kept in memory. */
function sizeOf(label: string): number {
  const random = new Random('size', label);
  const sort = random.next();
  if (sort < 0.6) return random.between(1, 60_000);
  if (sort < 0.95) return random.between(60_000, 400_000);
  return random.between(1_000_000, 3_000_000);
}
