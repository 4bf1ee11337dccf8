import type { Installation } from './installation.ts';

/** What a running server can do beside serving, as it describes itself. */
export async function abilitiesOf(url: string): Promise<Installation['can']> {
  const response = await fetch(`${url}/openapi.json`);
  const { paths, components } = (await response.json()) as Described;
  const limits = Object.values(components.schemas).some(
    ({ properties = {} }) => 'index_ttl' in properties && 'max_size' in properties,
  );
  return new Set([
    ...(limits ? (['limits'] as const) : []),
    ...('/api/v2/verify' in paths ? (['verify'] as const) : []),
    ...('/api/v2/backup' in paths ? (['backup'] as const) : []),
  ]);
}

interface Described {
  readonly paths: Readonly<Record<string, unknown>>;
  readonly components: { readonly schemas: Readonly<Record<string, { readonly properties?: object }>> };
}
