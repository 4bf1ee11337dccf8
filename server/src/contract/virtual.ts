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

  @Field.refs('Names of its members, in the order in which they are asked.', {
    required: true,
    minItems: 1,
    maxItems: 100,
    example: ['npm-private', 'npm-public'],
  })
  members!: readonly string[];

  @Field.oneOf(
    'What becomes of a package that several members have. `first`: the first of them owns it, the others are not asked. `union`: its index is made of all of theirs, earlier members win a version, and a file comes from the first member that lists it; every member can then add versions to every package.',
    ['first', 'union'],
    { example: 'union' },
  )
  merge = 'first';

  @Field.claims(
    'Names that belong to the hosted members, and to members that claim them themselves: no other is ever asked for one, here or at its own address. `*` stands for any characters.',
    { example: ['@acme/*'] },
  )
  claims?: readonly string[];

  @Field.bool(
    'Asks the remote members about once a day whether they have a package under a name that is published to a hosted member and that nobody claims, and raises an alert when they do.',
    { example: false },
  )
  watch = true;

  @Field.text('What it is for, in your own words.', { minLength: 0, example: 'The one address builds use.' })
  description?: string;

  @Field.labels('Your own marks, for filters and reports.', { example: { team: 'platform' } })
  labels?: Readonly<Record<string, string>>;

  @Field.bool('Refuses deletion until it is set to false.', { example: true })
  deletion_protection = false;
}
