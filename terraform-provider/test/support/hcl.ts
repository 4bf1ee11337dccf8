import type { Json } from '../../src/schema.ts';

/** A resource block; attributes that are undefined are left out. */
export function resource(type: string, label: string, attributes: Readonly<Record<string, Json | undefined>>): string {
  const lines = Object.entries(attributes).flatMap(([name, value]) =>
    value === undefined ? [] : [`  ${name} = ${hcl(value)}`],
  );
  return [`resource "${type}" "${label}" {`, ...lines, '}', ''].join('\n');
}

/** A value as HCL, on one line. */
export function hcl(value: Json): string {
  if (typeof value === 'string') return quoted(value);
  if (value === null || typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${value.map(hcl).join(', ')}]`;
  return `{ ${Object.entries(value)
    .map(([key, each]) => `${quoted(key)} = ${hcl(each)}`)
    .join(', ')} }`;
}

function quoted(text: string): string {
  return JSON.stringify(text).replace(/\$\{/g, '$$$${').replace(/%\{/g, '%%{');
}
