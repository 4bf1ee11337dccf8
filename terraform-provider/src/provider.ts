import { ManagementClient } from './client.ts';
import { decodeObject, decodeState, encodeObject } from './codec.ts';
import { DataSource } from './data-source.ts';
import { attributePath, diagnostic, type Problem, Refusal } from './diagnostics.ts';
import { type Methods, unary } from './plugin/grpc.ts';
import { log } from './plugin/log.ts';
import * as rpc from './plugin/messages.ts';
import { Resource } from './resource.ts';
import type { FieldSchema, SchemaFile } from './schema.ts';
import { connectionOf, SETTINGS } from './settings.ts';
import { dataSourceSchema, resourceSchema, schemaOf } from './terraform-schema.ts';
import { validate } from './validate.ts';

type Diagnostics = readonly rpc.Sent<typeof rpc.Diagnostic>[];

/** The provider: every kind of `schema` as a resource and a data source, as methods of `tfplugin6.Provider`. */
export function providerMethods(
  schema: SchemaFile,
  version: string,
  env: Readonly<Record<string, string | undefined>>,
): Methods {
  const provider = new Provider(schema, version, env);
  return Object.fromEntries(
    Object.entries(provider.methods()).map(([name, method]) => [`/tfplugin6.Provider/${name}`, method]),
  );
}

class Provider {
  readonly #resources: ReadonlyMap<string, Resource>;
  readonly #dataSources: ReadonlyMap<string, DataSource>;
  readonly #version: string;
  readonly #env: Readonly<Record<string, string | undefined>>;
  #client: ManagementClient | undefined;

  constructor(schema: SchemaFile, version: string, env: Readonly<Record<string, string | undefined>>) {
    this.#resources = new Map(schema.kinds.map((kind) => [`entrepot_${kind.kind}`, new Resource(kind)]));
    this.#dataSources = new Map(schema.kinds.map((kind) => [`entrepot_${kind.kind}`, new DataSource(kind)]));
    this.#version = version;
    this.#env = env;
  }

  methods(): Methods {
    return {
      GetProviderSchema: method(rpc.GetProviderSchema, () => this.#schema()),
      ValidateProviderConfig: method(rpc.ValidateProviderConfig, ({ config }) =>
        this.#validated(SETTINGS, () => validate(SETTINGS, decodeObject(SETTINGS, config) ?? {})),
      ),
      ConfigureProvider: method(rpc.ConfigureProvider, (request) => this.#configure(request)),
      ValidateResourceConfig: method(rpc.ValidateResourceConfig, ({ typeName, config }) => {
        const resource = this.#resource(typeName);
        return this.#validated(resource.attributes, () =>
          resource.validate(decodeObject(resource.attributes, config) ?? {}),
        );
      }),
      ValidateDataResourceConfig: method(rpc.ValidateDataResourceConfig, ({ typeName, config }) => {
        const source = this.#dataSource(typeName);
        return this.#validated(source.attributes, () => source.validate(decodeObject(source.attributes, config) ?? {}));
      }),
      UpgradeResourceState: method(rpc.UpgradeResourceState, (request) => this.#upgrade(request)),
      ReadResource: method(rpc.ReadResource, (request) => this.#read(request)),
      PlanResourceChange: method(rpc.PlanResourceChange, (request) => this.#plan(request)),
      ApplyResourceChange: method(rpc.ApplyResourceChange, (request) => this.#apply(request)),
      ImportResourceState: method(rpc.ImportResourceState, (request) => this.#import(request)),
      ReadDataSource: method(rpc.ReadDataSource, (request) => this.#readData(request)),
      StopProvider: unary(rpc.StopProvider, () => ({})),
    };
  }

  #schema(): rpc.Sent<typeof rpc.GetProviderSchema.response> {
    const schemas = <T>(of: ReadonlyMap<string, T>, schema: (each: T) => rpc.Sent<typeof rpc.Schema>) =>
      Object.fromEntries([...of].map(([name, each]) => [name, schema(each)]));
    return {
      provider: schemaOf('Manages the repositories of an Entrepot server.', SETTINGS),
      resourceSchemas: schemas(this.#resources, ({ kind }) => resourceSchema(kind)),
      dataSourceSchemas: schemas(this.#dataSources, ({ kind }) => dataSourceSchema(kind)),
      serverCapabilities: { getProviderSchemaOptional: true },
    };
  }

  #configure(request: rpc.Received<typeof rpc.ConfigureProvider.request>): Promise<{ diagnostics?: Diagnostics }> {
    return this.#guarded(SETTINGS, { diagnostics: [] }, () => {
      const userAgent = `terraform-provider-entrepot/${this.#version} terraform/${request.terraformVersion}`;
      const config = decodeObject(SETTINGS, request.config) ?? {};
      this.#client = new ManagementClient(connectionOf(config, this.#env, userAgent));
      return { diagnostics: [] };
    });
  }

  #upgrade({ typeName, rawState }: rpc.Received<typeof rpc.UpgradeResourceState.request>) {
    const { attributes } = this.#resource(typeName);
    return this.#guarded(attributes, {}, () => ({
      upgradedState: encodeObject(attributes, decodeState(attributes, rawState?.json ?? new Uint8Array())),
    }));
  }

  #read({ typeName, currentState, private: kept }: rpc.Received<typeof rpc.ReadResource.request>) {
    const resource = this.#resource(typeName);
    const { attributes } = resource;
    const state = decodeObject(attributes, currentState);
    return this.#guarded(attributes, { newState: encodeObject(attributes, state), private: kept }, async () => ({
      newState: encodeObject(attributes, state && (await resource.read(this.#connected(), state))),
      private: kept,
    }));
  }

  #plan(request: rpc.Received<typeof rpc.PlanResourceChange.request>) {
    const resource = this.#resource(request.typeName);
    const { attributes } = resource;
    return this.#guarded(attributes, {}, async () => {
      const prior = decodeObject(attributes, request.priorState);
      const wanted = decodeObject(attributes, request.proposedNewState) && decodeObject(attributes, request.config);
      const plan = wanted ? await resource.plan(this.#connected(), prior, wanted) : undefined;
      return {
        plannedState: encodeObject(attributes, plan?.planned ?? null),
        requiresReplace: (plan?.replace ?? []).map(attributePath),
        plannedPrivate: request.priorPrivate,
      };
    });
  }

  /** What failed leaves the state as it was: nothing for a create. */
  #apply(request: rpc.Received<typeof rpc.ApplyResourceChange.request>) {
    const resource = this.#resource(request.typeName);
    const { attributes } = resource;
    const [prior, planned, config] = [request.priorState, request.plannedState, request.config].map((value) =>
      decodeObject(attributes, value),
    );
    const kept = { newState: encodeObject(attributes, prior ?? null), private: request.plannedPrivate };
    return this.#guarded(attributes, kept, async () => {
      const client = this.#connected();
      if (planned && config) {
        const state = prior
          ? await resource.update(client, prior, planned, config)
          : await resource.create(client, planned, config);
        return { newState: encodeObject(attributes, state), private: request.plannedPrivate };
      }
      if (prior) await resource.remove(client, prior);
      return { newState: encodeObject(attributes, null) };
    });
  }

  #import({ typeName, id }: rpc.Received<typeof rpc.ImportResourceState.request>) {
    const resource = this.#resource(typeName);
    return this.#guarded(resource.attributes, {}, async () => {
      const state = await resource.import(this.#connected(), id);
      return { importedResources: [{ typeName, state: encodeObject(resource.attributes, state) }] };
    });
  }

  #readData({ typeName, config }: rpc.Received<typeof rpc.ReadDataSource.request>) {
    const source = this.#dataSource(typeName);
    return this.#guarded(source.attributes, {}, async () => ({
      state: encodeObject(
        source.attributes,
        await source.read(this.#connected(), decodeObject(source.attributes, config) ?? {}),
      ),
    }));
  }

  #validated(
    fields: readonly FieldSchema[],
    problems: () => readonly Problem[],
  ): Promise<{ diagnostics?: Diagnostics }> {
    return this.#guarded(fields, { diagnostics: [] }, () => ({
      diagnostics: problems().map((each) => diagnostic(fields, each)),
    }));
  }

  /** Whatever is thrown becomes diagnostics, each at its attribute, beside `otherwise`. */
  async #guarded<T extends object>(
    fields: readonly FieldSchema[],
    otherwise: NoInfer<Partial<T>>,
    call: () => T | Promise<T>,
  ): Promise<Partial<T> & { diagnostics?: Diagnostics }> {
    try {
      return await call();
    } catch (error) {
      const problems = error instanceof Refusal ? error.problems : [defect(error)];
      return { ...otherwise, diagnostics: problems.map((each) => diagnostic(fields, each)) };
    }
  }

  #connected(): ManagementClient {
    if (this.#client) return this.#client;
    throw new Refusal({
      summary: 'The provider is not configured',
      detail: 'Terraform asked for a resource before it passed on the provider block.',
    });
  }

  #resource(typeName: string): Resource {
    return known(this.#resources, typeName);
  }

  #dataSource(typeName: string): DataSource {
    return known(this.#dataSources, typeName);
  }
}

/** A gRPC error would show as a crash of the plugin: a defect, too, is answered with a diagnostic. */
const method: typeof unary = (types, call) =>
  unary(types, call, (error) => ({ diagnostics: [diagnostic([], defect(error))] }) as never);

function known<T>(types: ReadonlyMap<string, T>, typeName: string): T {
  const type = types.get(typeName);
  if (type === undefined) throw new Error(`this version of the provider has no ${typeName}`);
  return type;
}

function defect(error: unknown): Problem {
  log('error', 'defect', { stack: error instanceof Error ? error.stack : String(error) });
  return {
    summary: 'A defect of the Entrepot provider',
    detail: `${error instanceof Error ? error.message : String(error)}\n\nPlease report it with the log that TF_LOG_PROVIDER=error prints.`,
  };
}
