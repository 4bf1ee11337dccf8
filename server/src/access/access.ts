import type { IncomingHttpHeaders } from 'node:http';
import { bearerOf, credentialOf } from './credential.ts';
import { type ShortToken, ShortTokens } from './short-token.ts';
import { tokenCheck } from './token.ts';

/** Who asks. */
export interface Principal {
  /** As the audit log names it. */
  readonly principal: string;
  readonly admin: boolean;
  /** What it is for, where the token says so. */
  readonly consumer?: string;
}

export interface AccessOptions {
  /** What short-lived tokens are made with, the same after a restart; default: the admin token. */
  readonly secretKey?: string;
  readonly now?: () => number;
}

const ADMIN: Principal = { principal: 'admin', admin: true };
const ANONYMOUS: Principal = { principal: 'anonymous', admin: false };

/** Somebody of whom it is known who he is: the least that publishing takes. */
export function isKnown({ principal }: Pick<Principal, 'principal'>): boolean {
  return principal !== ANONYMOUS.principal;
}

export class Access {
  readonly #isAdminToken: (candidate: string) => boolean;
  readonly #anonymous: Principal | undefined;
  readonly #shortTokens: ShortTokens;

  /** `anonymous`: what callers without a token may do. */
  constructor(adminToken: string, anonymous: 'read' | 'none', { secretKey, now = Date.now }: AccessOptions = {}) {
    this.#isAdminToken = tokenCheck(adminToken);
    this.#anonymous = anonymous === 'read' ? ANONYMOUS : undefined;
    this.#shortTokens = new ShortTokens(secretKey ?? adminToken, now);
  }

  /** Undefined: nobody who may read. A token that is none of ours is not taken for no token, so that its owner learns of it. */
  principalOf(headers: IncomingHttpHeaders): Principal | undefined {
    return this.holderOf(credentialOf(headers)) ?? this.#shortLived(bearerOf(headers));
  }

  /** Whose lasting token that is. Undefined: nobody's, or nothing was brought and that is not enough. */
  holderOf(credential: string | undefined): Principal | undefined {
    if (credential === undefined) return this.#anonymous;
    return this.#isAdminToken(credential) ? ADMIN : undefined;
  }

  /** A token of a few minutes for what the principal may do with packages, good as `Bearer` only. */
  shortToken({ principal }: Principal, consumer: string | undefined): ShortToken {
    return this.#shortTokens.issue({ principal, ...(consumer === undefined ? {} : { consumer }) });
  }

  /** Never an administrator: programs that pull images have such a token, and need no more. */
  #shortLived(token: string | undefined): Principal | undefined {
    const holder = token === undefined ? undefined : this.#shortTokens.holderOf(token);
    if (!holder || (holder.principal === ANONYMOUS.principal && !this.#anonymous)) return undefined;
    return { ...holder, admin: false };
  }
}
