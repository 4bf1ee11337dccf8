import { createHash } from 'node:crypto';
import { duration, parseTime } from '../contract/index.ts';
import type { PolicyRevision } from '../engine/source.ts';
import type { ResourceRow } from '../ledger/ledger.ts';
import type { Block, Cooldown, Exemption, Freeze, Policy } from '../policy/policy.ts';
import { packagePattern } from '../schema/policy-problems.ts';
import { effective } from '../schema/schema.ts';

type Spec = Readonly<Record<string, unknown>>;

export const POLICY_KINDS: ReadonlySet<string> = new Set(['block', 'freeze', 'cooldown', 'exemption']);

/**
 * The declared rules under the name of their revision; `before` where nothing about them has changed. Undefined: there are
 * none. Throws on a stored rule that this version cannot read: a server that ignored one would let through what it holds back.
 */
export function policyRevision(
  rows: Iterable<ResourceRow>,
  before: PolicyRevision | undefined,
): PolicyRevision | undefined {
  const rules = [...rows].filter(({ kind }) => POLICY_KINDS.has(kind));
  if (rules.length === 0) return undefined;
  const said = rules.map(({ kind, name, spec }) => JSON.stringify([kind, name, spec])).sort();
  const id = createHash('sha256').update(said.join('\n')).digest('hex').slice(0, 16);
  return id === before?.id ? before : { id, policy: policyOf(rules) };
}

/** The declared rules as policy takes them. Order and times of declaration make no difference. */
export function policyOf(rows: Iterable<ResourceRow>): Policy {
  const specs = Map.groupBy(rows, ({ kind }) => kind);
  const all = <Rule>(kind: string, make: (spec: Spec) => Rule): Rule[] =>
    (specs.get(kind) ?? []).map(({ spec }) => make(effective(kind, spec)));
  return {
    blocks: all('block', blockOf),
    freezes: all('freeze', freezeOf),
    cooldowns: all('cooldown', cooldownOf),
    exemptions: all('exemption', exemptionOf),
  };
}

function blockOf(spec: Spec): Block {
  return {
    name: spec['name'] as string,
    packages: (spec['packages'] as readonly string[]).map(packagePattern),
    ...given<Pick<Block, 'reason' | 'url'>>(spec, ['reason', 'url']),
  };
}

function freezeOf(spec: Spec): Freeze {
  return {
    name: spec['name'] as string,
    before: parseTime(spec['before'] as string),
    ...given<Pick<Freeze, 'formats' | 'repositories' | 'reason'>>(spec, ['formats', 'repositories', 'reason']),
    ...(spec['expires_at'] === undefined ? {} : { expiresAt: parseTime(spec['expires_at'] as string) }),
  };
}

function cooldownOf(spec: Spec): Cooldown {
  const packages = Object.entries((spec['packages'] ?? {}) as Readonly<Record<string, string>>);
  const formats = Object.entries((spec['formats'] ?? {}) as Readonly<Record<string, string>>);
  return {
    name: spec['name'] as string,
    ...(spec['default'] === undefined ? {} : { otherwise: duration(spec['default'] as string) }),
    formats: Object.fromEntries(formats.map(([id, age]) => [id, duration(age)])),
    packages: packages.map(([text, age]) => ({ pattern: packagePattern(text), age: duration(age) })),
    ...given<Pick<Cooldown, 'repositories'>>(spec, ['repositories']),
    mode: spec['mode'] as Cooldown['mode'],
    unknownAge: spec['unknown_age'] as Cooldown['unknownAge'],
    authorTimes: spec['author_times'] as Cooldown['authorTimes'],
  };
}

function exemptionOf(spec: Spec): Exemption {
  return {
    name: spec['name'] as string,
    packages: (spec['packages'] as readonly string[]).map(packagePattern),
    ...given<Pick<Exemption, 'from' | 'reason'>>(spec, ['from', 'reason']),
    expiresAt: parseTime(spec['expires_at'] as string),
  };
}

/** Those of these fields that the spec has, under the names that they have in a rule. */
function given<Rule>(spec: Spec, names: readonly (keyof Rule & string)[]): Rule {
  return Object.fromEntries(names.flatMap((name) => (spec[name] === undefined ? [] : [[name, spec[name]]]))) as Rule;
}
