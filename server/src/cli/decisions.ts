import type { Client, Page } from './client.ts';
import type { Printed } from './commands.ts';
import { table } from './print.ts';

interface Decision {
  readonly id: string;
  readonly at: string;
  readonly decision: 'refused' | 'observed' | 'exempted';
  readonly repository: string;
  readonly path: string;
  readonly purl?: string;
  readonly rule?: string;
  readonly observed?: readonly { readonly rule: string; readonly reason: string }[];
  readonly principal: string;
  readonly consumer?: string;
}

/** One in full, or a page of them. */
export async function decisions(
  client: Client,
  id: string | undefined,
  query: Readonly<Record<string, string | undefined>>,
): Promise<Printed> {
  if (id !== undefined) {
    const found = await client.json<Decision>(`api/v2/decisions/${encodeURIComponent(id)}`);
    const { stringify } = await import('yaml');
    return { data: found, text: stringify(found) };
  }
  const page = await client.json<Page<Decision>>('api/v2/decisions', { query });
  const rows = page.items.map(({ id, at, decision, purl, path, rule, observed, consumer, principal }) => [
    at,
    purl ?? path,
    decision,
    decision === 'observed' ? observed?.[0]?.rule : rule,
    consumer ?? principal,
    id,
  ]);
  const more = page.next === undefined ? '' : `more: --after ${page.next}\n`;
  return { data: page, text: `${table(['AT', 'WHAT', 'DECISION', 'RULE', 'FOR', 'ID'], rows)}${more}` };
}
