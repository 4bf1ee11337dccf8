import { Field } from '../../contract/index.ts';

export class PypiOptions {
  @Field.text('Where, below `url`, the upstream has the pages of projects.', {
    pattern: ['^[A-Za-z0-9._~+-]*(/[A-Za-z0-9._~+-]+)*$', 'a path such as simple or root/pypi/+simple, or nothing'],
    minLength: 0,
    maxLength: 200,
    example: 'root/pypi/+simple',
  })
  index_path = 'simple';

  @Field.bool('Whether the upstream also has `/pypi/<project>/json`, from which times come that its pages leave out.', {
    example: false,
  })
  json_api = true;
}
