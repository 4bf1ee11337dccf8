import { type Declared, declarationOf, type Problem } from './shape.ts';

interface ResourceNames {
  /** `remote` */
  readonly kind: string;
  readonly description: string;
  /** `remotes`: its path segment in the management API. */
  readonly collection: string;
}

const resources = new WeakMap<object, ResourceNames>();

/** Declares a class as the spec of a kind of resource. */
export function Resource(kind: string, description: string, options: { readonly collection: string }): ClassDecorator {
  return (target) => {
    resources.set(target, { kind, description, ...options });
  };
}

/** A rule over several fields of a class, asked when each of them is right by itself. */
export function Check<T extends object>(rule: (value: T) => readonly Problem[]): ClassDecorator {
  return (target) => {
    declarationOf(target.prototype).rules.push((value) => rule(value as T));
  };
}

export function resourceOf(declared: Declared): ResourceNames {
  const names = resources.get(declared);
  if (!names) throw new Error(`${declared.name} is not declared with @Resource`);
  return names;
}
