import { Field, Value } from './field.ts';
import { Check, Resource } from './resource.ts';

const AGE_EXAMPLE = '7d';

@Resource('cooldown', 'How long a release must have been public before builds may have it.', {
  collection: 'cooldowns',
})
@Check(({ default: otherwise, formats = {}, packages = {} }: Cooldown) =>
  otherwise === undefined && Object.keys(formats).length === 0 && Object.keys(packages).length === 0
    ? [{ path: ['default'], message: 'is required where formats and packages say nothing: nothing would be held back' }]
    : [],
)
export class Cooldown {
  @Field.name('Name of the cooldown: refusals call it so.', { required: true, immutable: true, example: 'default' })
  name!: string;

  @Field.text('What it is for, in your own words.', { minLength: 0, example: 'Time for others to find what is bad.' })
  description?: string;

  @Field.labels('Your own marks, for filters and reports.', { example: { team: 'security' } })
  labels?: Readonly<Record<string, string>>;

  @Field.duration(
    'The age that releases must have of every format that has evidence of when they became public. A format that has none is held back where `formats` or `packages` names it alone: it counts from when a release was first seen, and what the first listing of its package had is admitted.',
    { example: '3d' },
  )
  default?: string;

  @Field.map(
    'The age by id of format, over `default`; 0: none.',
    Value.duration(),
    { pattern: '^[a-z0-9-]{1,63}$', help: 'the id of a format, such as npm' },
    { example: { npm: AGE_EXAMPLE, oci: '1d' } },
  )
  formats?: Readonly<Record<string, string>>;

  @Field.byPackage(
    'The age by package URL, over `formats` and `default`; 0: none. `*` stands for any run of characters; a version may follow `@`, a range `?vers=`. Of several that match the longest name wins.',
    Value.duration(),
    { example: { 'pkg:npm/lodash': '0', 'pkg:npm/%40acme/*': '12h' } },
  )
  packages?: Readonly<Record<string, string>>;

  @Field.refSet('Only in these repositories, by their own address or through a virtual; without it: in all.', {
    minItems: 1,
    example: ['npm'],
  })
  repositories?: readonly string[];

  @Field.oneOf(
    'What it does: `enforce` refuses; `observe` records what it would have refused, and refuses nothing.',
    ['enforce', 'observe'],
    {
      example: 'observe',
    },
  )
  mode = 'enforce';

  @Field.oneOf('What becomes of a release whose age nobody knows.', ['withhold', 'allow'], { example: 'allow' })
  unknown_age = 'withhold';

  @Field.oneOf(
    'Whether times that authors set count. `baseline`: for what stood in the first listing of its package that was seen here, later ones count from when they were first seen; `never`: everything counts from when it was first seen.',
    ['baseline', 'never'],
    { example: 'never' },
  )
  author_times = 'baseline';
}
