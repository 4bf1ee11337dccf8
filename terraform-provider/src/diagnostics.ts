import type { AttributePath, Diagnostic, Sent } from './plugin/messages.ts';
import { elementOf, type FieldSchema, fieldsOf, type ValueSchema } from './schema.ts';

export type Path = readonly (string | number)[];

export interface Problem {
  readonly summary: string;
  /** What is wrong and what to do. */
  readonly detail: string;
  /** From the root of the resource; absent when it is about the resource as a whole. */
  readonly path?: Path;
}

/** An outcome meant for the person at the terminal; anything else that is thrown is a defect of the provider. */
export class Refusal extends Error {
  readonly problems: readonly Problem[];

  constructor(...problems: readonly Problem[]) {
    super(problems[0]?.summary ?? 'refused');
    this.problems = problems;
  }
}

/** Attribute `a`, `a[0]` or `a["key"]`: a longer path Terraform 1.14 and older would not find in the source. */
export function diagnostic(fields: readonly FieldSchema[], problem: Problem): Sent<typeof Diagnostic> {
  const path = problem.path ?? [];
  const attribute = linePath(fields, path);
  const deeper = attribute !== undefined && path.length > (attribute.steps?.length ?? 0);
  return {
    severity: ERROR,
    summary: problem.summary,
    detail: deeper ? `${spell(fields, path)}: ${problem.detail}` : problem.detail,
    ...(attribute && { attribute }),
  };
}

/** The whole path, for `requires_replace`. */
export function attributePath(path: Path): Sent<typeof AttributePath> {
  return {
    steps: path.map((step) => (typeof step === 'number' ? { elementKeyInt: step } : { attributeName: step })),
  };
}

const ERROR = 1;

function linePath(fields: readonly FieldSchema[], path: Path): Sent<typeof AttributePath> | undefined {
  const [name, index] = path;
  const field = fields.find((each) => each.name === name);
  if (!field) return undefined;
  const first = { attributeName: field.name };
  if (field.type === 'list' && typeof index === 'number') return { steps: [first, { elementKeyInt: index }] };
  if (field.type === 'map' && typeof index === 'string') return { steps: [first, { elementKeyString: index }] };
  return { steps: [first] };
}

/** As one would write it in HCL: `auth.token`, `members[1]`, `labels["team"]`. */
function spell(fields: readonly FieldSchema[], path: Path): string {
  let text = '';
  let schema: ValueSchema | undefined = { type: 'object', fields };
  for (const step of path) {
    if (schema?.type === 'object') {
      text += text ? `.${step}` : `${step}`;
      schema = fieldsOf(schema).find((field) => field.name === step);
    } else {
      text += `[${JSON.stringify(step)}]`;
      schema = schema && elementOf(schema);
    }
  }
  return text;
}
