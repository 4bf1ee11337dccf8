import type { AnyFormat, RepositoryKind } from './format.ts';
import type { Source } from './source.ts';
import { Claims } from './virtual/claims.ts';
import type { Watched } from './watch/watch.ts';

/** A repository as it is declared, defaults filled in. */
export interface DeclaredRepository {
  readonly kind: RepositoryKind;
  readonly name: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

export function membersOf(one: DeclaredRepository): readonly string[] {
  return (one.spec['members'] ?? []) as readonly string[];
}

/** Equal for what is made of the same, members included. */
export function declaration(one: DeclaredRepository, members: readonly { readonly declared: string }[]): string {
  return [JSON.stringify([one.kind, one.name, one.spec]), ...members.map(({ declared }) => declared)].join('\n');
}

/** What is a member of another virtual before that one, so that each can be built of those before it. */
export function virtualsInOrder(declared: readonly DeclaredRepository[]): readonly DeclaredRepository[] {
  const virtuals = new Map(declared.filter(({ kind }) => kind === 'virtual').map((one) => [one.name, one]));
  const ordered = new Set<DeclaredRepository>();
  const begun = new Set<string>();
  const visit = (one: DeclaredRepository): void => {
    if (begun.has(one.name)) return;
    begun.add(one.name);
    for (const name of membersOf(one)) {
      const member = virtuals.get(name);
      if (member) visit(member);
    }
    ordered.add(one);
  };
  for (const one of virtuals.values()) visit(one);
  return [...ordered];
}

/** The virtuals that a repository is in, at whatever depth. */
export function virtualsOf(declared: readonly DeclaredRepository[]): ReadonlyMap<string, readonly string[]> {
  const direct = new Map<string, string[]>();
  for (const one of declared.filter(({ kind }) => kind === 'virtual'))
    for (const member of membersOf(one)) direct.set(member, [...(direct.get(member) ?? []), one.name]);
  const above = (name: string, seen: Set<string>): Set<string> => {
    for (const virtual of direct.get(name) ?? []) {
      if (seen.has(virtual)) continue;
      seen.add(virtual);
      above(virtual, seen);
    }
    return seen;
  };
  return new Map([...direct.keys()].map((name) => [name, [...above(name, new Set())]]));
}

export function claimsOf(declared: readonly DeclaredRepository[], formats: ReadonlyMap<string, AnyFormat>): Claims {
  return new Claims(
    declared.map((one) => ({
      kind: one.kind,
      name: one.name,
      type: formats.get(String(one.spec['format']))?.traits.purl ?? '',
      members: membersOf(one),
      claims: (one.spec['claims'] ?? []) as readonly string[],
    })),
  );
}

/** `built`: what each repository answers with by its own patterns. */
export function watchedOf(
  declared: readonly DeclaredRepository[],
  built: ReadonlyMap<
    string,
    { readonly format: AnyFormat; readonly uses: readonly string[]; readonly guarded: Source }
  >,
): readonly Watched[] {
  const kinds = new Map(declared.map(({ name, kind }) => [name, kind]));
  return declared.flatMap(({ kind, name, spec }): Watched[] => {
    const virtual = kind === 'virtual' ? built.get(name) : undefined;
    if (!virtual) return [];
    const within = [...new Set(virtual.uses)];
    const remotes = within.flatMap((each) => {
      const remote = kinds.get(each) === 'remote' ? built.get(each) : undefined;
      return remote ? [{ name: each, source: remote.guarded }] : [];
    });
    const hosted = within.filter((each) => kinds.get(each) === 'hosted');
    return [{ name, format: virtual.format, asks: spec['watch'] !== false, hosted, remotes }];
  });
}
