import { bytes } from './bytes.ts';
import { Field } from './field.ts';
import { Check, Resource } from './resource.ts';

@Resource('hosted', 'A repository that holds what is published to it.', { collection: 'hosted' })
@Check(({ max_size, max_artifact_size }: Hosted) =>
  max_size !== undefined && max_artifact_size !== undefined && bytes(max_artifact_size) > bytes(max_size)
    ? [{ path: ['max_artifact_size'], message: `must not be larger than max_size, which is ${max_size}` }]
    : [],
)
export class Hosted {
  @Field.repositoryName('Name of the repository and first segment of its address.', {
    required: true,
    immutable: true,
    example: 'builds',
  })
  name!: string;

  @Field.text('The protocol it speaks, one that can be published to.', {
    required: true,
    immutable: true,
    example: 'gradle-cache',
  })
  format!: string;

  @Field.text('What it is for, in your own words.', { minLength: 0, example: 'What our builds made before.' })
  description?: string;

  @Field.labels('Your own marks, for filters and reports.', { example: { team: 'platform' } })
  labels?: Readonly<Record<string, string>>;

  @Field.bool('Refuses deletion until it is set to false.', { example: true })
  deletion_protection = false;

  @Field.bytes(
    'The room for all that is published; without it: any. Above it, what was read or written longest ago is removed, until a tenth of it is free.',
    { example: '50GB' },
  )
  max_size?: string;

  @Field.bytes('The largest file that may be published; without it: any that `max_size` has room for.', {
    example: '100MB',
  })
  max_artifact_size?: string;

  @Field.duration('How long after it was published a file is served, and then removed; without it: for ever.', {
    min: '1m',
    example: '30d',
  })
  max_age?: string;
}
