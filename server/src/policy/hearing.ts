import { ageOf, agesAnewAt } from './age.ts';
import { ageFor, type Compiled, concerns, type Owned } from './compiled.ts';
import type { Allowed, Candidate, Decision, Objection, Reason } from './decision.ts';
import type { Age } from './evidence.ts';
import type { Match } from './matcher.ts';
import { moreSpecific } from './package-pattern.ts';
import type { AuthorTimes, Cooldown, Exemption, Freeze } from './policy.ts';
import { allowedUnknown, cooledBy, frozenBy, liftedBy } from './sentences.ts';

/** An objection that an exemption lifts. */
interface Lifted {
  readonly objection: Objection;
  readonly name: string;
  /** The one that lifts it longest. */
  readonly by: Exemption;
}

/** What freezes and cooldowns say of one candidate at one moment, and which exemptions lift it. */
export class Hearing {
  readonly #candidate: Candidate;
  readonly #rules: Compiled;
  readonly #now: number;
  readonly #exemptions: readonly Exemption[];
  readonly #ages = new Map<AuthorTimes, Age>();
  readonly #freezes: Objection[] = [];
  readonly #cooldowns: Objection[] = [];
  readonly #observed: Objection[] = [];
  readonly #lifted: Lifted[] = [];
  #unknown: Reason | undefined;

  constructor(candidate: Candidate, rules: Compiled, now: number) {
    this.#candidate = candidate;
    this.#rules = rules;
    this.#now = now;
    const matches = rules.exemptions.match(candidate.package, candidate.versions);
    this.#exemptions = matches.flatMap(({ rule, covered }) =>
      covered === 'yes' && rule.expiresAt > now ? [rule] : [],
    );
  }

  verdict(): Decision {
    this.#hearFreezes();
    this.#hearCooldowns();
    const observed = this.#observed.length > 0 ? { observed: this.#observed } : {};
    const standing = [...this.#freezes, ...this.#cooldowns.sort(strictestFirst)];
    const [first] = standing;
    if (!first) return { ...this.#allowed(), ...observed };
    const { until: _until, ...rest } = first;
    const untils = standing.flatMap(({ until }) => (until === undefined ? [] : [until]));
    const until = untils.length === standing.length ? { until: Math.max(...untils) } : {};
    return { allowed: false, ...rest, ...until, ...observed };
  }

  #hearFreezes(): void {
    for (const freeze of this.#rules.general(this.#candidate).freezes) {
      if ((freeze.expiresAt ?? NEVER) <= this.#now) continue;
      const age = this.#age('baseline');
      if ((age.at ?? NEVER) < freeze.before) break;
      const objection = objectionOf(
        'freeze',
        freeze.name,
        frozenBy(freeze, this.#candidate, age),
        age,
        freeze.expiresAt,
      );
      if (!this.#lifts(objection, freeze)) this.#freezes.push(objection);
    }
  }

  #hearCooldowns(): void {
    const own = this.#ownAges();
    for (const [cooldown, age] of own) if (age > 0) this.#hear({ cooldown, age });
    for (const group of this.#rules.general(this.#candidate).groups) {
      for (const owned of group) {
        if (!own.has(owned.cooldown) && this.#hear(owned)) break;
      }
    }
  }

  /** Whether a shorter one of its group has nothing to add. */
  #hear({ cooldown, age: asked }: Owned): boolean {
    const age = this.#age(cooldown.authorTimes);
    if (age.source === 'none' && cooldown.unknownAge === 'allow') {
      const reason = allowedUnknown(cooldown, this.#candidate, age);
      if (cooldown.mode === 'enforce')
        this.#unknown ??= { rule: `cooldown/${cooldown.name}`, kind: 'cooldown', reason };
      return true;
    }
    const since = age.source === 'none' ? agesAnewAt(age) : age.at;
    const until = since === undefined ? undefined : since + asked;
    if (age.source === 'baseline' || (until ?? NEVER) <= this.#now) return true;
    const reason = cooledBy(cooldown, this.#candidate, age, until, this.#now);
    const objection = objectionOf('cooldown', cooldown.name, reason, age, until);
    if (this.#lifts(objection, cooldown)) return false;
    const observes = cooldown.mode === 'observe';
    (observes ? this.#observed : this.#cooldowns).push(objection);
    return !observes;
  }

  /** What cooldowns say of this very package, in milliseconds. */
  #ownAges(): ReadonlyMap<Cooldown, number> {
    const { package: of, versions } = this.#candidate;
    const about = this.#rules.packages
      .match(of, versions)
      .filter(({ rule }) => concerns(rule.cooldown, this.#candidate));
    const byCooldown = Map.groupBy(about, ({ rule }) => rule.cooldown);
    return new Map([...byCooldown].map(([cooldown, of]) => [cooldown, this.#ownAge(cooldown, of)] as const));
  }

  /** The most specific one's; the longest of those that tie, and of those that cannot be told to be about this version. */
  #ownAge(cooldown: Cooldown, matches: readonly Match<Owned>[]): number {
    const certain = matches.filter(({ covered }) => covered === 'yes');
    const [best] = certain.toSorted((one, other) => moreSpecific(other.pattern, one.pattern));
    const ages = matches
      .filter(({ pattern }) => !best || moreSpecific(pattern, best.pattern) >= 0)
      .map(({ rule }) => rule.age);
    return Math.max(...ages, best ? 0 : (ageFor(cooldown, this.#candidate) ?? 0));
  }

  /** Whether an exemption lifts it; what only observes is lifted too, and nothing is made of it. */
  #lifts(objection: Objection, { name, mode }: Pick<Cooldown, 'name'> & { readonly mode?: Cooldown['mode'] }): boolean {
    const lifting = this.#exemptions.filter(({ from }) =>
      objection.kind === 'freeze' ? from === undefined : (from?.includes(name) ?? true),
    );
    const [by] = lifting.toSorted((one, other) => other.expiresAt - one.expiresAt);
    if (by && mode !== 'observe') this.#lifted.push({ objection, name, by });
    return by !== undefined;
  }

  #allowed(): Allowed {
    const ends = this.#lifted.flatMap(({ by, objection }) =>
      (objection.until ?? NEVER) <= by.expiresAt ? [] : [by.expiresAt],
    );
    const anew = [...this.#ages.values()].flatMap((age) => agesAnewAt(age) ?? []);
    const until = Math.min(...ends, ...anew);
    const [age] = this.#ages.values();
    const because = this.#reasonToAllow();
    return {
      allowed: true,
      ...(until === NEVER ? {} : { until }),
      ...(age ? { evidence: age } : {}),
      ...(because ? { because } : {}),
    };
  }

  #reasonToAllow(): Reason | undefined {
    const [first] = this.#lifted;
    if (!first) return this.#unknown;
    const reason = liftedBy(first.by, first.objection.kind, first.name, this.#candidate);
    return { rule: `exemption/${first.by.name}`, kind: 'exemption', reason };
  }

  #age(authorTimes: AuthorTimes): Age {
    const known = this.#ages.get(authorTimes);
    if (known) return known;
    const age = ageOf(this.#candidate, authorTimes, this.#now);
    this.#ages.set(authorTimes, age);
    return age;
  }
}

const NEVER = Number.POSITIVE_INFINITY;

function objectionOf(
  kind: 'freeze' | 'cooldown',
  name: Freeze['name'],
  reason: string,
  evidence: Age,
  until: number | undefined,
): Objection {
  return { rule: `${kind}/${name}`, kind, reason, evidence, ...(until === undefined ? {} : { until }) };
}

/** What never ends comes first. */
function strictestFirst(one: Objection, other: Objection): number {
  const [first, second] = [one.until ?? NEVER, other.until ?? NEVER];
  if (first !== second) return second - first;
  return one.rule < other.rule ? -1 : 1;
}
