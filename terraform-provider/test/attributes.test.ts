import { beforeAll, describe, expect, test } from 'vitest';
import type { FieldSchema, Json, KindSchema } from '../src/schema.ts';
import { resource } from './support/hcl.ts';
import { schema } from './support/provider.ts';
import { terraformSuite } from './support/suite.ts';
import { BASE, COOLDOWNS, MEMBERS, type Variant, variantsOf } from './support/variants.ts';

type Spec = Readonly<Record<string, Json>>;
interface Seen {
  readonly specs: ReadonlyMap<string, Spec | undefined>;
  /** What a second plan would change. */
  readonly pending: string;
}

const STEPS = ['set', 'changed', 'unset'];

const suite = terraformSuite();

beforeAll(async () => {
  for (const member of MEMBERS) await suite.management().put('remotes', member);
  for (const cooldown of COOLDOWNS) await suite.management().put('cooldowns', cooldown);
});

describe.each(schema.kinds.map((kind) => [`entrepot_${kind.kind}`, kind] as const))('%s', (type, kind) => {
  const variants = variantsOf(kind);
  const seen: Seen[] = [];
  let leftOver: readonly (Spec | undefined)[] = [];

  beforeAll(async () => {
    const workspace = suite.workspace();
    for (const step of STEPS.keys()) {
      workspace.write(
        variants.map((variant) => resource(type, label(variant), specOf(kind, variant, step))).join('\n'),
      );
      await workspace.apply();
      seen.push({ specs: await specs(kind, variants, step), pending: await workspace.pending() });
    }
    await workspace.destroy();
    leftOver = [...(await specs(kind, variants, 2)).values()];
  });

  test.each(variants.map((variant) => [variant.title, variant] as const))(
    '%s is set, changed and unset, each with an empty plan after it',
    (_title, variant) => {
      for (const [step, title] of STEPS.entries()) {
        const field = kind.fields.find(({ name }) => name === variant.field);
        const declared = withoutSecrets(field, specOf(kind, variant, step)[variant.field]);
        const stored = seen[step]?.specs.get(variant.title)?.[variant.field];
        if (title === 'unset') expect(effective(field, stored), title).toEqual(effective(field, declared));
        else expect(stored, title).toEqual(declared);
        expect(seen[step]?.pending.includes(`${type}.${label(variant)} `), title).toBe(false);
      }
    },
  );

  test('no step leaves anything for a second plan', () => {
    expect(seen.map(({ pending }) => pending)).toEqual(['', '', '']);
  });

  test('destroy leaves nothing', () => {
    expect(leftOver).toEqual(variants.map(() => undefined));
  });
});

/** What is declared of the variant at a step; what cannot be unset stays as it was changed. */
function specOf(kind: KindSchema, variant: Variant, step: number): Spec {
  const own = variant.steps[step] ?? variant.steps.at(-1) ?? {};
  const name = `${kind.kind}-${label(variant).replaceAll('_', '-')}`;
  return {
    name,
    ...BASE[kind.kind],
    ...own,
    ...(variant.field === 'name' && { name: step === 0 ? name : `${name}-2` }),
  };
}

function label(variant: Variant): string {
  return variant.title.replaceAll('.', '__');
}

async function specs(
  kind: KindSchema,
  variants: readonly Variant[],
  step: number,
): Promise<ReadonlyMap<string, Spec | undefined>> {
  const management = suite.management();
  const found = new Map<string, Spec | undefined>();
  for (const variant of variants) {
    found.set(variant.title, (await management.get(kind.collection, String(specOf(kind, variant, step).name)))?.spec);
  }
  return found;
}

/** Sets come back in Terraform's order, which is that of their text. */
function withoutSecrets(field: FieldSchema | undefined, value: Json | undefined): unknown {
  if (field?.type === 'set' && Array.isArray(value)) return [...value].sort();
  if (field?.type !== 'object' || value === undefined) return value;
  const secret = new Set((field.fields ?? []).filter((each) => each.secret).map(({ name }) => name));
  return Object.fromEntries(Object.entries(value as Spec).filter(([name]) => !secret.has(name)));
}

/** Terraform sees no difference between a default that is declared and one that is not. */
function effective(field: FieldSchema | undefined, value: unknown): unknown {
  if (value === undefined) return field?.default;
  if (field?.type !== 'object') return value;
  const given = value as Spec;
  return Object.fromEntries((field.fields ?? []).map((each) => [each.name, effective(each, given[each.name])]));
}
