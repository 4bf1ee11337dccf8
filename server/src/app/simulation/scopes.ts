import { claimsOf, type DeclaredRepository, virtualsOf } from '../../engine/declared.ts';
import type { AnyFormat } from '../../engine/format.ts';

/** Through which repositories something was asked for, as guards have it: of the configuration as it is now. */
export class Scopes {
  readonly #hosted: ReadonlySet<string>;
  readonly #above: ReadonlyMap<string, readonly string[]>;
  readonly #claims: ReturnType<typeof claimsOf>;

  constructor(declared: readonly DeclaredRepository[], formats: ReadonlyMap<string, AnyFormat>) {
    this.#hosted = new Set(declared.filter(({ kind }) => kind === 'hosted').map(({ name }) => name));
    this.#above = virtualsOf(declared);
    this.#claims = claimsOf(declared, formats);
  }

  /** Of what `member` has, asked for at the address of `repository`. */
  through(repository: string, member: string): readonly string[] {
    const above = (name: string) => this.#above.get(name) ?? [];
    const between = above(member).filter((name) => above(name).includes(repository));
    return [...new Set([member, repository, ...between, ...above(repository)])];
  }

  /** At whatever address. */
  everywhere(member: string): readonly string[] {
    return this.through(member, member);
  }

  /** Published here, or claimed for the member: only a block refuses it. `name`: as the format has it. */
  isFirstParty(member: string, name: string | undefined): boolean {
    return this.#hosted.has(member) || (name !== undefined && this.#claims.isOwn(member, name));
  }
}
