import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { SyntaxNodeRef } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { documentedMetrics, operationsPage, section } from '../support/operations-doc.ts';

const deploy = (name: string) => readFileSync(fileURLToPath(new URL(`../../deploy/${name}`, import.meta.url)), 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook: string };
}

const { groups }: { groups: { name: string; rules: Rule[] }[] } = parse(deploy('prometheus-rules.yml'));
const rules = groups.flatMap((group) => group.rules);

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly id: number;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

const dashboard: { panels: Panel[] } = JSON.parse(deploy('grafana-dashboard.json'));
const queries = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => [title, expr] as const),
);

/** Metrics and labels that a query of Prometheus reads; throws where it is none. */
function readBy(query: string): { readonly metrics: readonly string[]; readonly labels: readonly string[] } {
  // A dashboard's variables stand in texts only.
  const found = { metrics: new Set<string>(), labels: new Set<string>() };
  const take = (node: SyntaxNodeRef): void => {
    const text = query.slice(node.from, node.to);
    if (node.type.isError) throw new Error(`${query} is no query, at ${node.from}`);
    if (node.name === 'Identifier' && node.node.parent?.name === 'VectorSelector') found.metrics.add(text);
    if (node.name === 'LabelName') found.labels.add(text);
  };
  parser.parse(query).iterate({ enter: take });
  return { metrics: [...found.metrics], labels: [...found.labels] };
}

/** Prometheus' own, and what it adds to every series. */
const OWN = ['up'];
const OWN_LABELS = ['job', 'instance', 'le'];

function requireKnown(query: string): void {
  const known = new Map<string, readonly string[]>(OWN.map((name) => [name, []]));
  for (const { name, type, labels } of documentedMetrics()) {
    const suffixes = type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    for (const suffix of suffixes) known.set(name + suffix, labels);
  }
  const { metrics, labels } = readBy(query);
  expect(metrics.length, query).toBeGreaterThan(0);
  for (const metric of metrics) expect([...known.keys()], query).toContain(metric);
  const theirs = metrics.flatMap((metric) => known.get(metric) ?? []);
  for (const label of labels) expect([...OWN_LABELS, ...theirs], query).toContain(label);
}

describe('the alarm rules', () => {
  test.each(rules.map((rule) => [rule.alert, rule] as const))(
    '%s reads metrics that exist, and says what to do',
    (_, rule) => {
      requireKnown(rule.expr);
      expect(rule.for).toMatch(/^\d+[mh]$/);
      expect(['critical', 'warning', 'info']).toContain(rule.labels.severity);
      expect(rule.annotations.summary).toMatch(/^[A-Z].*\.$/);
      expect(rule.annotations.runbook).toBe(`docs/operations.md#${rule.alert.toLowerCase()}`);
      const [, said = ''] = new RegExp(`^### ${rule.alert}\n\n(.*)`, 'm').exec(section('Alarms')) ?? [];
      expect(said).toMatch(new RegExp(`^\\*${rule.labels.severity}\\*: `));
      expect(said.length).toBeGreaterThan(rule.annotations.summary.length + 40);
    },
  );

  test('none is documented that is not there', () => {
    const documented = [...section('Alarms').matchAll(/^### (\w+)$/gm)].map(([, name]) => name);
    expect(documented).toEqual(rules.map(({ alert }) => alert));
  });
});

describe('the dashboard', () => {
  test.each(queries)('%s reads metrics that exist: %s', (_, query) => requireKnown(query));

  test('it shows every metric', () => {
    const shown = new Set(queries.flatMap(([, query]) => readBy(query).metrics));
    const bare = [...shown].map((name) => name.replace(/_(bucket|sum|count)$/, ''));
    const missing = documentedMetrics().filter(({ name }) => !bare.includes(name) && !shown.has(name));
    expect(missing.map(({ name }) => name)).toEqual([]);
  });

  test('no panel covers another, and each has an id of its own', () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
  });
});

test('what the page leads to in itself is there', () => {
  const anchors = [...operationsPage().matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
  for (const [, target = ''] of operationsPage().matchAll(/\]\(#([^)]+)\)/g)) expect(anchors).toContain(target);
});
