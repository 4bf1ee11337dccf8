import type { AnyFormat } from '../../../src/engine/format.ts';
import { formats } from '../../../src/formats/all.ts';
import type { PackageSample } from '../samples/releases.ts';

export interface Victim {
  readonly id: string;
  readonly format: AnyFormat;
  readonly sample: PackageSample;
}

async function load({ id }: AnyFormat): Promise<PackageSample | undefined> {
  const module = (await import(`../samples/${id}.ts`).catch(() => ({}))) as { readonly releases?: PackageSample };
  return module.releases;
}

/** Every format that has upstreams, with its sample where it has one. */
export const mirrored = await Promise.all(
  formats
    .filter(({ traits }) => traits.kinds?.includes('remote') ?? true)
    .map(async (format) => ({ id: format.id, format, sample: await load(format) })),
);

/** Every format that a suite can attack. */
export const victims: readonly Victim[] = mirrored.flatMap(({ id, format, sample }) =>
  sample ? [{ id, format, sample }] : [],
);
