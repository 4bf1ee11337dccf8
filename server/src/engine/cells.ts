import type { Metric, Registry } from 'prom-client';

/** What a metric is declared by; `labels` in the order in which they are shown. */
export interface Declared<Label extends string> {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly Label[];
}

/** One count. Found once and kept, counting is one addition: prom-client looks its labels up each time. */
export class Cell {
  value = 0;

  inc(by = 1): void {
    this.value += by;
  }
}

/** How long one kind of thing takes. */
export class Timing {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Array(bounds.length + 1).fill(0);
  }

  observe(seconds: number): void {
    let at = 0;
    while (at < this.#bounds.length && seconds > (this.#bounds[at] as number)) at += 1;
    this.#counts[at] = (this.#counts[at] as number) + 1;
    this.#sum += seconds;
  }

  /** As Prometheus has it: each bucket counts all below its bound. */
  samples(name: string, labels: Labels): readonly Sample[] {
    let below = 0;
    const buckets = this.#counts.map((count, at) => {
      below += count;
      return { metricName: `${name}_bucket`, labels: { ...labels, le: this.#bounds[at] ?? '+Inf' }, value: below };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: this.#sum },
      { metricName: `${name}_count`, labels, value: below },
    ];
  }
}

/** Counts by label. */
export class Counts<Label extends string = never> {
  readonly #family: Family<Label, Cell>;

  constructor(registry: Registry, declared: Declared<Label>) {
    const sample = ({ value }: Cell, labels: Labels) => [{ labels, value }];
    this.#family = new Family(registry, declared, 'counter', () => new Cell(), sample);
  }

  of(labels: Readonly<Record<Label, string>>): Cell {
    return this.#family.of(labels);
  }
}

/** Durations by label. `bounds`: seconds, ascending. */
export class Timings<Label extends string = never> {
  readonly #family: Family<Label, Timing>;

  constructor(registry: Registry, declared: Declared<Label>, bounds: readonly number[]) {
    const sample = (timing: Timing, labels: Labels) => timing.samples(declared.name, labels);
    this.#family = new Family(registry, declared, 'histogram', () => new Timing(bounds), sample);
  }

  of(labels: Readonly<Record<Label, string>>): Timing {
    return this.#family.of(labels);
  }
}

type Labels = Readonly<Record<string, string | number>>;

interface Sample {
  readonly metricName?: string;
  readonly labels: Labels;
  readonly value: number;
}

class Family<Label extends string, Member> {
  readonly #declared: Declared<Label>;
  readonly #make: () => Member;
  readonly #members = new Map<string, { readonly labels: Labels; readonly member: Member }>();

  constructor(
    registry: Registry,
    declared: Declared<Label>,
    type: 'counter' | 'histogram',
    make: () => Member,
    sample: (member: Member, labels: Labels) => readonly Sample[],
  ) {
    this.#declared = declared;
    this.#make = make;
    const { name, help } = declared;
    // All that the registry asks of a metric when it writes them.
    const metric = {
      name,
      get: async () => ({
        name,
        help,
        type,
        values: [...this.#members.values()].flatMap(({ labels, member }) => sample(member, labels)),
        aggregator: 'sum',
      }),
    };
    registry.registerMetric(metric as unknown as Metric);
    if (declared.labels.length === 0) this.of({} as Record<Label, string>);
  }

  of(labels: Readonly<Record<Label, string>>): Member {
    const key = this.#declared.labels.map((label) => labels[label]).join('\0');
    const known = this.#members.get(key);
    if (known) return known.member;
    const member = this.#make();
    const ordered = Object.fromEntries(this.#declared.labels.map((label) => [label, labels[label]]));
    this.#members.set(key, { labels: ordered, member });
    return member;
  }
}
