import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PAGE = fileURLToPath(new URL('../../../docs/operations.md', import.meta.url));

export interface DocumentedMetric {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
}

export function operationsPage(): string {
  return readFileSync(PAGE, 'utf8');
}

/** What the page says of each metric, in its order. */
export function documentedMetrics(): readonly DocumentedMetric[] {
  return rows(section('Metrics')).map(([name = '', type = '', labels = '']) => ({
    name: name.replaceAll('`', ''),
    type,
    labels: words(labels),
  }));
}

/** Names of fields that lines with that message have. */
export function documentedFields(message: string): readonly string[] {
  const table = section('The log').split(`| of \`msg: ${message}\` |`)[1]?.split('\n\n')[0] ?? '';
  return rows(table).flatMap(([fields = '']) => words(fields));
}

/** The part of the page below a heading, up to the next of its kind. */
export function section(heading: string): string {
  const [, found] = new RegExp(`^## ${heading}\n([\\s\\S]*?)(?=^## |$(?![\\s\\S]))`, 'm').exec(operationsPage()) ?? [];
  if (found === undefined) throw new Error(`docs/operations.md has no section "${heading}"`);
  return found;
}

function rows(text: string): readonly (readonly string[])[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map(([, ...cells]) => cells);
}

function words(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);
}
