import { Field } from '../../contract/index.ts';

export class DebianOptions {
  @Field.text('The vendor in the package URLs of what comes from there, such as `ubuntu`.', {
    pattern: ['^[a-z0-9][a-z0-9+.-]*$', 'lower-case letters, digits and + . -'],
    maxLength: 100,
    example: 'ubuntu',
  })
  vendor = 'debian';
}
