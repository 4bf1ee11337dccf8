import { Field, Value } from './field.ts';
import { Check, Resource } from './resource.ts';

@Resource('freeze', 'Nothing that became public at a point in time or later.', { collection: 'freezes' })
@Check(({ formats, repositories }: Freeze) =>
  formats && repositories
    ? [{ path: ['repositories'], message: 'must not stand beside formats: a repository has a format already' }]
    : [],
)
export class Freeze {
  @Field.name('Name of the freeze: refusals call it so.', { required: true, immutable: true, example: 'may-incident' })
  name!: string;

  @Field.text('What it is for, in your own words.', { minLength: 0, example: 'Until the incident is over.' })
  description?: string;

  @Field.labels('Your own marks, for filters and reports.', { example: { team: 'security' } })
  labels?: Readonly<Record<string, string>>;

  @Field.time('What became public before is admitted, RFC 3339; not in the future when it is set.', {
    required: true,
    example: '2026-05-11T00:00:00Z',
  })
  before!: string;

  @Field.set(
    'Only of these formats, by their ids; without it, and without `repositories`: of every format that has evidence of when releases became public.',
    Value.text({ maxLength: 63, pattern: ['^[a-z0-9-]+$', 'the id of a format, such as npm'] }),
    { minItems: 1, example: ['npm', 'pypi'] },
  )
  formats?: readonly string[];

  @Field.refSet('Only in these repositories, by their own address or through a virtual.', {
    minItems: 1,
    example: ['npm'],
  })
  repositories?: readonly string[];

  @Field.text('Why; refusals say it.', { example: 'A maintainer lost his token.' })
  reason?: string;

  @Field.time('When it ends, RFC 3339, in the future when it is set; without it: when it is deleted.', {
    example: '2126-06-01T00:00:00Z',
  })
  expires_at?: string;
}
