import type { FieldSchema, Json, KindSchema, ValueSchema } from '../../src/schema.ts';

type Spec = Readonly<Record<string, Json>>;

/** One attribute, or a field inside one: what it is set to, changed to, and the same without it when it may be left out. */
export interface Variant {
  /** `timeouts`, `timeouts.connect` */
  readonly title: string;
  readonly field: string;
  readonly steps: readonly Spec[];
}

/** Where rules between fields say more than each field's own schema. */
const SPECIAL: Readonly<Record<string, readonly [Spec, Spec]>> = {
  'remote.auth': [
    { auth: { type: 'bearer', token: 'first-token' } },
    { auth: { type: 'basic', username: 'reader', password: 'second-secret' } },
  ],
  'remote.proxy_auth': [
    { proxy_url: 'http://proxy.test:3128', proxy_auth: { username: 'builds', password: 'first-secret' } },
    { proxy_url: 'http://proxy.test:3128', proxy_auth: { username: 'builds', password: 'second-secret' } },
  ],
  'virtual.format': [
    { format: 'npm', members: ['first-member'] },
    { format: 'pypi', members: ['pypi-member'] },
  ],
  'cooldown.formats': [{ formats: { npm: '7d', oci: '1d' } }, { formats: { pypi: '2w' } }],
  'cooldown.packages': [
    { packages: { 'pkg:npm/lodash': '0', 'pkg:npm/%40acme/*': '12h' } },
    { packages: { 'pkg:npm/lodash@4.17.21': '0' } },
  ],
  'cooldown.repositories': [{ repositories: ['first-member'] }, { repositories: ['second-member', 'first-member'] }],
  'exemption.from': [{ from: ['first-cooldown'] }, { from: ['second-cooldown', 'first-cooldown'] }],
  'exemption.expires_at': [{ expires_at: '2126-06-01T00:00:00Z' }, { expires_at: '2126-06-01T02:00:00+02:00' }],
  'freeze.before': [{ before: '2026-05-11T00:00:00Z' }, { before: '2026-05-11T00:00:00.5Z' }],
  'freeze.expires_at': [{ expires_at: '2126-06-01T00:00:00Z' }, { expires_at: '2127-06-01T00:00:00Z' }],
  'freeze.repositories': [{ repositories: ['first-member'] }, { repositories: ['second-member', 'first-member'] }],
  'virtual.members': [{ members: ['first-member'] }, { members: ['second-member', 'first-member'] }],
};

/** What every resource of these tests has, and what they may name. */
export const BASE: Readonly<Record<string, Spec>> = {
  remote: { format: 'npm' },
  hosted: { format: 'gradle-cache' },
  virtual: { format: 'npm', members: ['first-member'] },
  cooldown: { default: '3h' },
  block: { packages: ['pkg:npm/left-pad'] },
  exemption: { packages: ['pkg:npm/left-pad'], expires_at: '2126-01-01T00:00:00Z' },
  freeze: { before: '2026-01-01T00:00:00Z' },
};
export const COOLDOWNS: readonly Spec[] = [
  { name: 'first-cooldown', default: '3h' },
  { name: 'second-cooldown', default: '4h' },
];
export const MEMBERS: readonly Spec[] = [
  { name: 'first-member', format: 'npm', url: 'https://upstream.test' },
  { name: 'second-member', format: 'npm', url: 'https://upstream.test' },
  { name: 'pypi-member', format: 'pypi', url: 'https://upstream.test' },
];

/** Every attribute of a kind, and every field of its objects that may stand alone. */
export function variantsOf(kind: KindSchema): readonly Variant[] {
  return kind.fields.flatMap((field) => [variantOf(kind, field), ...innerVariants(kind, field)]);
}

function variantOf(kind: KindSchema, field: FieldSchema): Variant {
  const example = field.example ?? null;
  const steps = SPECIAL[`${kind.kind}.${field.name}`] ?? [
    { ...formatOf(kind, field), [field.name]: example },
    { ...formatOf(kind, field), [field.name]: another(field, example) },
  ];
  const { [field.name]: _unset, ...without } = steps[1];
  return { title: field.name, field: field.name, steps: field.required ? steps : [...steps, without] };
}

function innerVariants(kind: KindSchema, field: FieldSchema): readonly Variant[] {
  const inner = field.fields ?? [];
  if (inner.some(({ required }) => required)) return [];
  const beside = formatOf(kind, field);
  return inner.map((each) => ({
    title: `${field.name}.${each.name}`,
    field: field.name,
    steps: [each.example ?? null, another(each, each.example ?? null)]
      .map((value): Spec => ({ ...beside, [field.name]: { [each.name]: value } }))
      .concat({ ...beside, [field.name]: {} }),
  }));
}

/** Options belong to a resource of their format, which may have no default upstream. */
function formatOf(kind: KindSchema, field: FieldSchema): Spec {
  const formats = kind.fields.find(({ name }) => name === 'format')?.enum ?? [];
  return formats.includes(field.name) ? { format: field.name, url: 'https://upstream.test' } : {};
}

function another(schema: ValueSchema, value: Json): Json {
  if (schema.enum) return schema.enum.find((each) => each !== value) ?? value;
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'number') return value === schema.max ? value - 1 : value + 1;
  if (typeof value === 'string') return anotherText(schema, value);
  if (Array.isArray(value))
    return value.length > 1
      ? [...value].reverse()
      : [...value, another(schema.element ?? { type: 'string' }, value[0] ?? 'x')];
  if (value !== null && schema.type === 'map')
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [`${key}2`, each]));
  if (value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [
      key,
      keepsPair(key) ? each : another(fieldOf(schema, key), each as Json),
    ]),
  );
}

function anotherText(schema: ValueSchema, value: string): string {
  if (schema.format === 'duration') return value === '77s' ? '78s' : '77s';
  if (schema.format === 'bytes') return value === '77MB' ? '78MB' : '77MB';
  if (schema.format === 'url') return `${value}/other`;
  if (schema.format === 'pem') return `${value}${value.endsWith('\n') ? '' : '\n'}${value}`;
  if (schema.format === 'regex') return `${value}|other`;
  return `${value}2`;
}

/** A certificate and its key go together. */
function keepsPair(key: string): boolean {
  return key === 'key_pem';
}

function fieldOf(schema: ValueSchema, name: string): ValueSchema {
  return schema.fields?.find((field) => field.name === name) ?? { type: 'string' };
}
