import { Field } from './field.ts';
import { Resource } from './resource.ts';

@Resource('block', 'Packages that nobody gets, whatever else is declared.', { collection: 'blocks' })
export class Block {
  @Field.name('Name of the block: refusals call it so.', { required: true, immutable: true, example: 'malware' })
  name!: string;

  @Field.text('What it is for, in your own words.', { minLength: 0, example: 'What the security team took out.' })
  description?: string;

  @Field.labels('Your own marks, for filters and reports.', { example: { team: 'security' } })
  labels?: Readonly<Record<string, string>>;

  @Field.packages(
    'Package URLs. `*` stands for any run of characters; a version may follow `@`, a range of versions `?vers=`.',
    {
      required: true,
      minItems: 1,
      example: ['pkg:npm/event-stream@3.3.6', 'pkg:pypi/requests?vers=vers:pypi/>=1.0|<1.4'],
    },
  )
  packages!: readonly string[];

  @Field.text('Why; refusals say it.', { example: 'It steals wallets.' })
  reason?: string;

  @Field.url('Where more is written about it; refusals name it.', { example: 'https://security.example.com/2026-17' })
  url?: string;
}
