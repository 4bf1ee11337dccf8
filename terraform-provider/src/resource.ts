import { ApiError, ConnectionError, type Envelope, type ManagementClient } from './client.ts';
import { type Path, type Problem, Refusal } from './diagnostics.ts';
import { type Plan, plan, settle } from './plan.ts';
import { attributesOf, type FieldSchema, type KindSchema } from './schema.ts';
import { toSpec, toState } from './spec.ts';
import { validate } from './validate.ts';
import { type Fields, isFields, isKnown } from './value.ts';

/** Any kind of schema.json as a Terraform resource. What the person at the terminal should read is thrown as Refusal. */
export class Resource {
  readonly kind: KindSchema;
  readonly attributes: readonly FieldSchema[];

  constructor(kind: KindSchema) {
    this.kind = kind;
    this.attributes = attributesOf(kind);
  }

  get typeName(): string {
    return `entrepot_${this.kind.kind}`;
  }

  validate(config: Fields): readonly Problem[] {
    return validate(this.kind.fields, config);
  }

  /** Asks the server about rules that schema.json cannot say, as far as the configuration is known. */
  async plan(client: ManagementClient, prior: Fields | null, config: Fields): Promise<Plan> {
    const made = plan(this.attributes, prior, config);
    if (!made.changed || made.replace.length > 0 || !isKnown(config)) return made;
    const { collection } = this.kind;
    const refused = await client.rehearse(collection, toSpec(this.kind, config), prior ? nameOf(prior) : undefined);
    const errors = (refused?.errors ?? []).filter(({ path }) => !this.#mayComeLater(path));
    if (errors.length === 0) return made;
    throw new Refusal(
      ...errors.map(({ path, message }) => ({
        summary: `Invalid ${path[0] ?? this.kind.kind}`,
        detail: sentence(message),
        path,
      })),
    );
  }

  /** Null when it is gone. */
  async read(client: ManagementClient, state: Fields): Promise<Fields | null> {
    const envelope = await this.#ask('read', state, () => client.get(this.kind.collection, nameOf(state)));
    return envelope === undefined ? null : toState(this.kind, envelope, state);
  }

  async create(client: ManagementClient, planned: Fields, config: Fields): Promise<Fields> {
    const { collection } = this.kind;
    const envelope = await this.#ask('create', config, () => client.create(collection, toSpec(this.kind, config)), {
      409: async (error) => this.#taken(await client.get(collection, nameOf(config)), config, error),
    });
    return this.#applied(planned, envelope);
  }

  async update(client: ManagementClient, prior: Fields, planned: Fields, config: Fields): Promise<Fields> {
    const revision = typeof prior.revision === 'number' ? prior.revision : undefined;
    const name = nameOf(prior);
    const spec = toSpec(this.kind, config);
    const envelope = await this.#ask(
      'change',
      config,
      () => client.replace(this.kind.collection, name, spec, revision),
      {
        412: () => this.#changedSince(name),
        404: () => this.#changedSince(name),
      },
    );
    return this.#applied(planned, envelope);
  }

  async remove(client: ManagementClient, prior: Fields): Promise<void> {
    await this.#ask('delete', prior, () => client.remove(this.kind.collection, nameOf(prior)));
  }

  async import(client: ManagementClient, name: string): Promise<Fields> {
    const { kind, collection } = this.kind;
    const envelope = await this.#ask('import', { name }, () => client.get(collection, name));
    if (envelope !== undefined) return toState(this.kind, envelope, null);
    throw new Refusal({
      summary: `There is no ${kind} ${JSON.stringify(name)}`,
      detail: `The id of an import is the name of the ${kind}. \`entrepot get ${collection}\` lists them; to make a new one, remove the import and apply.`,
    });
  }

  /** A name of another resource: the same apply may create it first. */
  #mayComeLater(path: Path): boolean {
    const field = this.kind.fields.find((each) => each.name === path[0]);
    return field?.name !== 'name' && (field?.format === 'name' || field?.element?.format === 'name');
  }

  /** The spec as planned, what only the server can say as it said it. */
  #applied(planned: Fields, envelope: Envelope): Fields {
    const settled = settle(planned, toState(this.kind, envelope, planned));
    return isFields(settled) ? settled : planned;
  }

  async #ask<T>(
    verb: string,
    subject: Fields,
    call: () => Promise<T>,
    answers: Readonly<Record<number, (error: ApiError) => Problem | Promise<Problem>>> = {},
  ): Promise<T> {
    try {
      return await call();
    } catch (error) {
      const summary = `Cannot ${verb} the ${this.kind.kind} ${JSON.stringify(nameOf(subject))}`;
      if (error instanceof ConnectionError) throw new Refusal({ summary, detail: error.message });
      if (!(error instanceof ApiError)) throw error;
      const special = answers[error.status];
      throw new Refusal(...(special ? [await special(error)] : this.#explained(summary, error)));
    }
  }

  #explained(summary: string, error: ApiError): readonly Problem[] {
    if (error.errors.length === 0) return [{ summary, detail: sentence(error.message) }];
    return error.errors.map((each) => ({ summary, detail: sentence(each.message), path: each.path }));
  }

  #taken(existing: Envelope | undefined, config: Fields, error: ApiError): Problem {
    const { kind } = this.kind;
    const name = nameOf(config);
    const summary = `The ${kind} ${JSON.stringify(name)} exists already`;
    if (existing === undefined)
      return {
        summary: `Cannot create the ${kind} ${JSON.stringify(name)}`,
        detail: sentence(error.message),
        path: ['name'],
      };
    if (existing.managed_by === 'file') {
      return {
        summary,
        detail: "It is declared in the server's own configuration file: remove it there, or choose another name here.",
        path: ['name'],
      };
    }
    const label = /^[a-zA-Z_][\w-]*$/.test(name) ? name : `r_${name.replace(/[^\w-]/g, '_')}`;
    const block = [
      'import {',
      `  to = ${this.typeName}.${label} # the address of this resource block`,
      `  id = ${JSON.stringify(name)}`,
      '}',
    ].join('\n');
    return {
      summary,
      detail: `To manage it from here, add this block and plan again; or choose another name.\n\n${block}`,
      path: ['name'],
    };
  }

  #changedSince(name: string): Problem {
    return {
      summary: `The ${this.kind.kind} ${JSON.stringify(name)} has changed since the plan`,
      detail:
        'Somebody else changed or deleted it in the meantime, so nothing was changed. Run terraform plan again to see what is there now.',
    };
  }
}

function nameOf(value: Fields): string {
  const name = value.name;
  if (typeof name === 'string') return name;
  throw new TypeError('a resource without a name reached the server');
}

function sentence(text: string): string {
  const trimmed = text.trim();
  return `${trimmed.charAt(0).toUpperCase()}${trimmed.slice(1)}${/[.!?]$/.test(trimmed) ? '' : '.'}`;
}
