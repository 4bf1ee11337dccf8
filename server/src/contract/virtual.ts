import { Field } from './field.ts';
import { Resource } from './resource.ts';

@Resource('virtual', 'Several repositories of one format behind one address.', { collection: 'virtuals' })
export class Virtual {
  @Field.repositoryName('Name of the repository and first segment of its address.', {
    required: true,
    immutable: true,
    example: 'npm',
  })
  name!: string;

  @Field.text('The protocol it speaks; its members speak the same.', {
    required: true,
    immutable: true,
    example: 'npm',
  })
  format!: string;

  @Field.refs('Names of its members, in the order in which they are asked: the first that has a package owns it.', {
    required: true,
    minItems: 1,
    maxItems: 100,
    example: ['npm-private', 'npm-public'],
  })
  members!: readonly string[];

  @Field.text('What it is for, in your own words.', { minLength: 0, example: 'The one address builds use.' })
  description?: string;

  @Field.labels('Your own marks, for filters and reports.', { example: { team: 'platform' } })
  labels?: Readonly<Record<string, string>>;

  @Field.bool('Refuses deletion until it is set to false.', { example: true })
  deletion_protection = false;
}
