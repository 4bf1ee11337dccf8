const PACKAGES = 1000;
const TURNS = 300;
/** Not counted: the compiler has not seen the code before. */
const WARMING = 50;
const DAY = 86_400_000;

/** Microseconds. */
const TARGET = 50;

export const DECISION = 'policy decision, warm';

export interface Decided {
  /** Microseconds that one decision takes: the median of the turns, each of a thousand, and the slowest of them. */
  readonly median: number;
  readonly slowest: number;
  readonly isMissed: boolean;
}

/**
 * What it takes to judge a file where nothing is asked of anybody: a thousand packages in turn, half of them under cooldowns of
 * their own, a thousand blocks, a hundred exemptions, a freeze.
 */
export async function measureDecision(): Promise<Decided> {
  const { judge, policyOf, npm } = await built();
  const now = Date.now();
  const policy = policyOf(rules(now));
  const scope = { policy: { id: 'bench', policy }, repositories: ['npm-public', 'npm'], firstParty: false };
  const files = Array.from({ length: PACKAGES }, (_, number) => ({
    path: `crowd-${number}/-/crowd-${number}-1.0.0.tgz`,
    name: `crowd-${number}`,
    version: '1.0.0',
    published: { at: now - (number % 20) * DAY, by: 'server' as const },
  }));
  let refused = 0;
  const turn = (): number => {
    const start = performance.now();
    for (const file of files) if (judge(file, { format: npm, options: {} }, [], scope, now).refused) refused += 1;
    return ((performance.now() - start) * 1000) / PACKAGES;
  };
  for (let done = 0; done < WARMING; done++) turn();
  const turns = Array.from({ length: TURNS }, turn).toSorted((one, other) => one - other);
  const share = refused / ((WARMING + TURNS) * PACKAGES);
  if (share < 0.1 || share > 0.9) throw new Error(`${share} of what was judged is refused: that measures one answer`);
  const median = turns[Math.floor(TURNS / 2)] ?? Number.NaN;
  return { median, slowest: turns.at(-1) ?? Number.NaN, isMissed: !(median < TARGET) };
}

export function decisionTable({ median, slowest }: Decided): string {
  const figure = (time: number) => `${time.toFixed(1)} µs`;
  return [
    '| work | median | slowest of 300 turns | target |',
    '|---|---|---|---|',
    `| ${DECISION} | ${figure(median)} | ${figure(slowest)} | < ${TARGET} µs |`,
  ].join('\n');
}

/** As it is built: what declares resources has decorators, which Node does not run from TypeScript. */
async function built(): Promise<{
  readonly judge: typeof import('../src/engine/guard/judge.ts').judge;
  readonly policyOf: typeof import('../src/app/policy.ts').policyOf;
  readonly npm: typeof import('../src/formats/all.ts').formats[number];
}> {
  const load = (path: string) => import(`../dist/${path}.js`);
  const [{ judge }, { policyOf }, { formats }] = await Promise.all(
    ['engine/guard/judge', 'app/policy', 'formats/all'].map(load),
  );
  const npm = formats.find(({ id }: { readonly id: string }) => id === 'npm');
  return { judge, policyOf, npm };
}

/** As they are declared. */
function rules(now: number): Parameters<typeof import('../src/app/policy.ts').policyOf>[0] {
  const purls = Array.from({ length: PACKAGES }, (_, number) => `pkg:npm/crowd-${number}`);
  const specs: readonly (readonly [
    kind: string,
    spec: { readonly name: string; readonly [field: string]: unknown },
  ])[] = [
    [
      'cooldown',
      {
        name: 'default',
        default: '7d',
        packages: Object.fromEntries(purls.filter((_, at) => at % 2 === 0).map((purl) => [purl, '3d'])),
      },
    ],
    ...purls.map((purl, at) => ['block', { name: `block-${at}`, packages: [`${purl}@0.0.1`] }] as const),
    ...purls
      .slice(0, 100)
      .map(
        (purl, at) =>
          [
            'exemption',
            { name: `exemption-${at}`, packages: [purl], expires_at: new Date(now + DAY).toISOString() },
          ] as const,
      ),
    ['freeze', { name: 'freeze', before: new Date(now - DAY).toISOString() }],
  ];
  return specs.map(([kind, spec]) => ({
    kind,
    name: spec.name,
    spec,
    revision: 1,
    managedBy: 'api',
    retiring: false,
    createdAt: now,
    updatedAt: now,
  }));
}
