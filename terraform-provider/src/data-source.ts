import { ApiError, ConnectionError, type ManagementClient } from './client.ts';
import { type Problem, Refusal } from './diagnostics.ts';
import type { FieldSchema, KindSchema } from './schema.ts';
import { toState } from './spec.ts';
import { dataSourceAttributes } from './terraform-schema.ts';
import { validate } from './validate.ts';
import { conformFields, type Fields } from './value.ts';

/** One resource, read by its name. */
export class DataSource {
  readonly kind: KindSchema;
  readonly attributes: readonly FieldSchema[];

  constructor(kind: KindSchema) {
    this.kind = kind;
    this.attributes = dataSourceAttributes(kind);
  }

  validate(config: Fields): readonly Problem[] {
    return validate(this.attributes.slice(0, 1), config);
  }

  async read(client: ManagementClient, config: Fields): Promise<Fields> {
    const { kind, collection } = this.kind;
    const name = String(config.name);
    const envelope = await client.get(collection, name).catch((error: unknown) => {
      if (!(error instanceof ApiError || error instanceof ConnectionError)) throw error;
      throw new Refusal({ summary: `Cannot read the ${kind} ${JSON.stringify(name)}`, detail: error.message });
    });
    if (envelope !== undefined) return conformFields(this.attributes, toState(this.kind, envelope, null));
    throw new Refusal({
      summary: `There is no ${kind} ${JSON.stringify(name)}`,
      detail: `\`entrepot get ${collection}\` lists them. If this configuration declares it, refer to the resource itself: entrepot_${kind}.….name.`,
      path: ['name'],
    });
  }
}
