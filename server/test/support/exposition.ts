export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Exposed {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: readonly Sample[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABELS = '(?:\\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\[\\\\"n])*",?)*)\\})?';
const SAMPLE = new RegExp(`^(${NAME})${LABELS} (NaN|[+-]Inf|[+-]?[0-9.]+(?:e[+-]?[0-9]+)?)$`);

/**
 * Prometheus' text exposition format, version 0.0.4, read strictly: HELP, then TYPE, then the samples of a metric, each series
 * once. Throws with the line that is none.
 */
export function readExposition(text: string): readonly Exposed[] {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const metrics: { name: string; help: string; type: string; samples: Sample[] }[] = [];
  const series = new Set<string>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, comment, name = '', rest = ''] = new RegExp(`^# (HELP|TYPE) (${NAME}) (.+)$`).exec(line) ?? [];
    const current = metrics.at(-1);
    if (comment === 'HELP') metrics.push({ name, help: rest, type: '', samples: [] });
    else if (comment === 'TYPE' && current?.name === name && current.type === '') current.type = rest;
    else current?.samples.push(sampleOf(line, current, series));
    if (!metrics.at(-1)) throw new Error(`a sample of no metric: ${line}`);
  }
  const names = metrics.map((metric) => metric.name);
  if (new Set(names).size !== names.length) throw new Error('a metric is there twice');
  return metrics;
}

function sampleOf(line: string, { name, type }: Pick<Exposed, 'name' | 'type'>, series: Set<string>): Sample {
  const [, of, labels = '', value] = SAMPLE.exec(line) ?? [];
  const suffixes = type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
  if (of === undefined || !suffixes.some((suffix) => of === name + suffix)) throw new Error(`no sample: ${line}`);
  const key = line.slice(0, line.lastIndexOf(' '));
  if (series.has(key)) throw new Error(`a series is there twice: ${line}`);
  series.add(key);
  const pairs = [...labels.matchAll(/([a-zA-Z0-9_]+)="((?:[^"\\]|\\.)*)"/g)];
  return {
    name: of,
    labels: Object.fromEntries(pairs.map(([, key = '', text = '']) => [key, text])),
    value: Number(value),
  };
}
