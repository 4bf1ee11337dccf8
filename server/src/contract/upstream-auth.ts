import { Field } from './field.ts';
import { Check } from './resource.ts';
import type { Problem } from './shape.ts';

const NEEDED = { bearer: ['token'], basic: ['username', 'password'], header: ['name', 'value'] } as const;
const FIELDS = ['token', 'username', 'password', 'name', 'value'] as const;
const VISIBLE: readonly [string, string] = ['^[\\x21-\\x7e]+$', 'visible ASCII characters without blanks'];

/** How a remote signs in to its upstream. */
@Check((auth: UpstreamAuth) => {
  const needed: readonly string[] = NEEDED[auth.type];
  return FIELDS.flatMap((field): Problem[] => {
    if (needed.includes(field) === (auth[field] !== undefined)) return [];
    const message = needed.includes(field)
      ? `is required when type is ${auth.type}`
      : `does not belong to type ${auth.type}, which takes ${needed.join(' and ')}`;
    return [{ path: [field], message }];
  });
})
export class UpstreamAuth {
  @Field.oneOf('Which kind of credential the upstream takes.', ['bearer', 'basic', 'header'], {
    required: true,
    example: 'bearer',
  })
  type!: 'bearer' | 'basic' | 'header';

  @Field.text('Token of type `bearer`.', {
    secret: true,
    maxLength: 16_000,
    pattern: VISIBLE,
    example: 'example-token',
  })
  token?: string;

  @Field.text('User name of type `basic`.', {
    pattern: ['^[^:\\x00-\\x1f]+$', 'text without a colon'],
    example: 'reader',
  })
  username?: string;

  @Field.text('Password of type `basic`.', {
    secret: true,
    maxLength: 16_000,
    pattern: ['^[^\\x00-\\x1f]+$', 'text on one line'],
    example: 'example-password',
  })
  password?: string;

  @Field.text('Name of the header of type `header`.', {
    pattern: ["^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", 'the name of an HTTP header'],
    maxLength: 100,
    example: 'X-Api-Key',
  })
  name?: string;

  @Field.text('Value of the header of type `header`.', {
    secret: true,
    maxLength: 16_000,
    pattern: ['^[^\\x00-\\x1f]+$', 'text on one line'],
    example: 'example-key',
  })
  value?: string;
}

/** How a remote signs in to its HTTP proxy. */
export class ProxyAuth {
  @Field.text('User name at the proxy.', {
    required: true,
    pattern: ['^[^:\\x00-\\x1f]+$', 'text without a colon'],
    example: 'builds',
  })
  username!: string;

  @Field.text('Password at the proxy.', {
    required: true,
    secret: true,
    pattern: ['^[^\\x00-\\x1f]+$', 'text on one line'],
    example: 'example-password',
  })
  password!: string;
}
