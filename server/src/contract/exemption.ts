import { Field } from './field.ts';
import { Resource } from './resource.ts';

@Resource('exemption', 'Packages that cooldowns and freezes do not hold back, for a while. Blocks stay.', {
  collection: 'exemptions',
})
export class Exemption {
  @Field.name('Name of the exemption: decisions call it so.', { required: true, immutable: true, example: 'hotfix' })
  name!: string;

  @Field.text('What it is for, in your own words.', { minLength: 0, example: 'Asked for by the payments team.' })
  description?: string;

  @Field.labels('Your own marks, for filters and reports.', { example: { team: 'payments' } })
  labels?: Readonly<Record<string, string>>;

  @Field.packages(
    'Package URLs. `*` stands for any run of characters; a version may follow `@`, a range of versions `?vers=`.',
    { required: true, minItems: 1, example: ['pkg:npm/lodash@4.17.21'] },
  )
  packages!: readonly string[];

  @Field.refSet('Names of the cooldowns it lifts, and no freeze; without it: all cooldowns and freezes.', {
    minItems: 1,
    example: ['default'],
  })
  from?: readonly string[];

  @Field.text('Why; decisions say it.', { example: 'It fixes a hole that is being used.' })
  reason?: string;

  @Field.time('When it ends, RFC 3339; in the future when it is set.', {
    required: true,
    example: '2126-06-01T00:00:00Z',
  })
  expires_at!: string;
}
