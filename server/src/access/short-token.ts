import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** Whom a token was given to. */
export interface Holder {
  readonly principal: string;
  readonly consumer?: string;
}

export interface ShortToken {
  readonly value: string;
  /** Seconds. */
  readonly expiresIn: number;
  /** Epoch milliseconds. */
  readonly issuedAt: number;
}

/** Seconds. */
const LIFE = 300;
const SHAPE = /^entrepot-short\.([\w-]{1,2000})\.([\w-]{43})$/;
const LONGEST_CONSUMER = 200;
/** Tokens that are recognised without computing anything. */
const MOST_KNOWN = 5000;

/**
 * Tokens that hold themselves whose they are and until when, under a key of ours: nothing is kept of them, and they go on
 * after a restart. Whoever has the secret can make them, and nobody else.
 */
export class ShortTokens {
  readonly #key: Buffer;
  readonly #now: () => number;
  readonly #known = new LRUCache<string, { readonly holder: Holder; readonly until: number }>({ max: MOST_KNOWN });

  constructor(secret: string, now: () => number) {
    this.#key = Buffer.from(hkdfSync('sha256', secret, '', 'entrepot short tokens, 1', 32));
    this.#now = now;
  }

  issue({ principal, consumer }: Holder): ShortToken {
    const issuedAt = this.#now();
    const said = [principal, issuedAt + LIFE * 1000, ...(consumer === undefined ? [] : [printable(consumer)])];
    const payload = Buffer.from(JSON.stringify(said)).toString('base64url');
    return {
      value: `entrepot-short.${payload}.${this.#seal(payload).toString('base64url')}`,
      expiresIn: LIFE,
      issuedAt,
    };
  }

  /** Undefined: none of ours, or its time is over. */
  holderOf(token: string): Holder | undefined {
    const known = this.#known.get(token) ?? this.#read(token);
    return known && this.#now() < known.until ? known.holder : undefined;
  }

  #read(token: string): { readonly holder: Holder; readonly until: number } | undefined {
    const [, payload = '', seal = ''] = SHAPE.exec(token) ?? [];
    if (payload === '' || !timingSafeEqual(Buffer.from(seal, 'base64url'), this.#seal(payload))) return undefined;
    const [principal, until, consumer] = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as [
      string,
      number,
      string?,
    ];
    const read = { holder: { principal, ...(consumer === undefined ? {} : { consumer }) }, until };
    this.#known.set(token, read);
    return read;
  }

  #seal(payload: string): Buffer {
    return createHmac('sha256', this.#key).update(payload).digest();
  }
}

function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '').slice(0, LONGEST_CONSUMER);
}
