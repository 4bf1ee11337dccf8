import type { Candidate } from './decision.ts';
import { Matcher } from './matcher.ts';
import type { Block, Cooldown, Exemption, Freeze, PackageAge, Policy } from './policy.ts';
import { Remembered } from './remembered.ts';

/** A policy made ready for many questions, once per thread. */
export interface Compiled {
  readonly blocks: Matcher<Block>;
  readonly exemptions: Matcher<Exemption>;
  /** What cooldowns say of packages. */
  readonly packages: Matcher<Owned>;
  /** What is not about single packages. */
  general(asked: Asked): General;
}

/** Where a release is asked for, packages aside. */
export type Asked = Pick<Candidate, 'format' | 'dated' | 'repositories'>;

export interface Owned {
  readonly cooldown: Cooldown;
  readonly age: PackageAge['age'];
}

/** What there is for a format in these repositories. */
export interface General {
  /** The earliest first. */
  readonly freezes: readonly Freeze[];
  /** The longest first, by what else decides: within a group the first that admits a release is followed by such only. */
  readonly groups: readonly (readonly Owned[])[];
}

const compiled = new WeakMap<Policy, Compiled>();

export function compile(policy: Policy): Compiled {
  const known = compiled.get(policy);
  if (known) return known;
  const generals = new Remembered<General>(1000);
  const made: Compiled = {
    blocks: new Matcher(policy.blocks.flatMap((rule) => rule.packages.map((pattern) => ({ pattern, rule })))),
    exemptions: new Matcher(policy.exemptions.flatMap((rule) => rule.packages.map((pattern) => ({ pattern, rule })))),
    packages: new Matcher(
      policy.cooldowns.flatMap((cooldown) =>
        cooldown.packages.map(({ pattern, age }) => ({ pattern, rule: { cooldown, age } })),
      ),
    ),
    general(asked) {
      const key = [asked.format, asked.dated, ...asked.repositories].join('\0');
      return generals.of(key, () => generalOf(policy, asked));
    },
  };
  compiled.set(policy, made);
  return made;
}

/** Whether a rule that names repositories is about what is asked for. */
export function concerns(rule: { readonly repositories?: readonly string[] }, { repositories }: Asked): boolean {
  return rule.repositories === undefined || rule.repositories.some((name) => repositories.includes(name));
}

function generalOf(policy: Policy, asked: Asked): General {
  const freezes = policy.freezes.filter((freeze) => concerns(freeze, asked) && covers(freeze, asked));
  const cooldowns = policy.cooldowns.flatMap((cooldown): Owned[] => {
    const age = concerns(cooldown, asked) ? ageFor(cooldown, asked) : undefined;
    return age === undefined || age === 0 ? [] : [{ cooldown, age }];
  });
  const groups = Map.groupBy(cooldowns, ({ cooldown: { mode, unknownAge, authorTimes } }) =>
    [mode, unknownAge, authorTimes].join(),
  );
  return {
    freezes: freezes.toSorted((one, other) => one.before - other.before),
    groups: [...groups.values()].map((group) => group.toSorted((one, other) => other.age - one.age)),
  };
}

function covers({ formats, repositories }: Freeze, { format, dated }: Asked): boolean {
  if (formats) return formats.includes(format);
  return repositories !== undefined || dated !== 'none';
}

/** Milliseconds a cooldown asks for, packages aside; undefined: it is not about this format. */
export function ageFor({ formats, otherwise }: Cooldown, { format, dated }: Asked): number | undefined {
  if (Object.hasOwn(formats, format)) return formats[format];
  return dated === 'none' ? undefined : otherwise;
}
