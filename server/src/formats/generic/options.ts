import { Field, Value } from '../../contract/index.ts';

export class GenericOptions {
  @Field.list(
    'Regular expressions (RE2 syntax) with the groups `name` and `version`: the first that matches a path says which package it belongs to.',
    Value.pattern(),
    { maxItems: 200, example: ['^(?P<name>[^/]+)/(?P<version>[^/]+)/[^/]+$'] },
  )
  releases?: readonly string[];
}
