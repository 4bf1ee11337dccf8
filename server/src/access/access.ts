import type { IncomingHttpHeaders } from 'node:http';
import { credentialOf } from './credential.ts';
import { tokenCheck } from './token.ts';

/** Who asks. */
export interface Principal {
  /** As the audit log names it. */
  readonly principal: string;
  readonly admin: boolean;
}

const ADMIN: Principal = { principal: 'admin', admin: true };
const ANONYMOUS: Principal = { principal: 'anonymous', admin: false };

export class Access {
  readonly #isAdminToken: (candidate: string) => boolean;
  readonly #anonymous: Principal | undefined;

  /** `anonymous`: what callers without a token may do. */
  constructor(adminToken: string, anonymous: 'read' | 'none') {
    this.#isAdminToken = tokenCheck(adminToken);
    this.#anonymous = anonymous === 'read' ? ANONYMOUS : undefined;
  }

  /** Undefined: nobody who may read. A token that is none of ours is not taken for no token, so that its owner learns of it. */
  principalOf(headers: IncomingHttpHeaders): Principal | undefined {
    const credential = credentialOf(headers);
    if (credential === undefined) return this.#anonymous;
    return this.#isAdminToken(credential) ? ADMIN : undefined;
  }
}
