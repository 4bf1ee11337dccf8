import { type Decoded, type Draft, type Fields, type Message, many, map, message, one, optional } from './protobuf.ts';

/** Terraform plugin protocol 6 (`tfplugin6`): the messages this provider speaks, by field number. */

export type Sent<M extends Message> = M extends Message<infer F> ? Draft<F> : never;
export type Received<M extends Message> = M extends Message<infer F> ? Decoded<F> : never;

export const DynamicValue = message({ msgpack: one(1, 'bytes'), json: one(2, 'bytes') });
export const RawState = message({ json: one(1, 'bytes'), flatmap: map(2, 'string') });
export const ClientCapabilities = message({
  deferralAllowed: one(1, 'bool'),
  writeOnlyAttributesAllowed: one(2, 'bool'),
});
export const ServerCapabilities = message({
  planDestroy: one(1, 'bool'),
  getProviderSchemaOptional: one(2, 'bool'),
  moveResourceState: one(3, 'bool'),
  generateResourceConfig: one(4, 'bool'),
});

/** The three are one oneof. */
export const AttributePathStep = message({
  attributeName: optional(1, 'string'),
  elementKeyString: optional(2, 'string'),
  elementKeyInt: optional(3, 'int'),
});
export const AttributePath = message({ steps: many(1, AttributePathStep) });
/** severity: 1 error, 2 warning. */
export const Diagnostic = message({
  severity: one(1, 'int'),
  summary: one(2, 'string'),
  detail: one(3, 'string'),
  attribute: one(4, AttributePath),
});

export interface SchemaAttributeDraft {
  readonly name: string;
  /** JSON of the type constraint; absent when there is a `nestedType`. */
  readonly type?: Uint8Array | undefined;
  readonly description?: string;
  readonly required?: boolean;
  readonly optional?: boolean;
  readonly computed?: boolean;
  readonly sensitive?: boolean;
  readonly descriptionKind?: number;
  readonly deprecated?: boolean;
  readonly nestedType?: SchemaObjectDraft | undefined;
  readonly writeOnly?: boolean;
  readonly deprecationMessage?: string;
}

export interface SchemaObjectDraft {
  readonly attributes: readonly SchemaAttributeDraft[];
  /** 1 single, 2 list, 3 set, 4 map. */
  readonly nesting: number;
}

const nested: () => SchemaObjectDraft = () => SchemaObject as never;
const attributeFields = {
  name: one(1, 'string'),
  type: one(2, 'bytes'),
  description: one(3, 'string'),
  required: one(4, 'bool'),
  optional: one(5, 'bool'),
  computed: one(6, 'bool'),
  sensitive: one(7, 'bool'),
  descriptionKind: one(8, 'int'),
  deprecated: one(9, 'bool'),
  nestedType: one(10, nested),
  writeOnly: one(11, 'bool'),
  deprecationMessage: one(12, 'string'),
} satisfies Fields;
export const SchemaAttribute = message(attributeFields);
export const SchemaObject = message({ attributes: many(1, SchemaAttribute), nesting: one(3, 'int') });
export const SchemaBlock = message({
  version: one(1, 'int'),
  attributes: many(2, SchemaAttribute),
  description: one(4, 'string'),
  descriptionKind: one(5, 'int'),
  deprecated: one(6, 'bool'),
  deprecationMessage: one(7, 'string'),
});
export const Schema = message({ version: one(1, 'int'), block: one(2, SchemaBlock) });

const diagnosticsAt = <N extends number>(no: N) => many(no, Diagnostic);

export const GetProviderSchema = {
  request: message({}),
  response: message({
    provider: one(1, Schema),
    resourceSchemas: map(2, Schema),
    dataSourceSchemas: map(3, Schema),
    diagnostics: diagnosticsAt(4),
    serverCapabilities: one(6, ServerCapabilities),
  }),
};
export const ValidateProviderConfig = {
  request: message({ config: one(1, DynamicValue) }),
  response: message({ diagnostics: diagnosticsAt(2) }),
};
export const ConfigureProvider = {
  request: message({
    terraformVersion: one(1, 'string'),
    config: one(2, DynamicValue),
    clientCapabilities: one(3, ClientCapabilities),
  }),
  response: message({ diagnostics: diagnosticsAt(1) }),
};
export const ValidateResourceConfig = {
  request: message({
    typeName: one(1, 'string'),
    config: one(2, DynamicValue),
    clientCapabilities: one(3, ClientCapabilities),
  }),
  response: message({ diagnostics: diagnosticsAt(1) }),
};
export const ValidateDataResourceConfig = {
  request: message({ typeName: one(1, 'string'), config: one(2, DynamicValue) }),
  response: message({ diagnostics: diagnosticsAt(1) }),
};
export const UpgradeResourceState = {
  request: message({ typeName: one(1, 'string'), version: one(2, 'int'), rawState: one(3, RawState) }),
  response: message({ upgradedState: one(1, DynamicValue), diagnostics: diagnosticsAt(2) }),
};
export const ReadResource = {
  request: message({
    typeName: one(1, 'string'),
    currentState: one(2, DynamicValue),
    private: one(3, 'bytes'),
    providerMeta: one(4, DynamicValue),
    clientCapabilities: one(5, ClientCapabilities),
  }),
  response: message({
    newState: one(1, DynamicValue),
    diagnostics: diagnosticsAt(2),
    private: one(3, 'bytes'),
  }),
};
export const PlanResourceChange = {
  request: message({
    typeName: one(1, 'string'),
    priorState: one(2, DynamicValue),
    proposedNewState: one(3, DynamicValue),
    config: one(4, DynamicValue),
    priorPrivate: one(5, 'bytes'),
    providerMeta: one(6, DynamicValue),
    clientCapabilities: one(7, ClientCapabilities),
  }),
  response: message({
    plannedState: one(1, DynamicValue),
    requiresReplace: many(2, AttributePath),
    plannedPrivate: one(3, 'bytes'),
    diagnostics: diagnosticsAt(4),
  }),
};
export const ApplyResourceChange = {
  request: message({
    typeName: one(1, 'string'),
    priorState: one(2, DynamicValue),
    plannedState: one(3, DynamicValue),
    config: one(4, DynamicValue),
    plannedPrivate: one(5, 'bytes'),
    providerMeta: one(6, DynamicValue),
  }),
  response: message({ newState: one(1, DynamicValue), private: one(2, 'bytes'), diagnostics: diagnosticsAt(3) }),
};
export const ImportedResource = message({
  typeName: one(1, 'string'),
  state: one(2, DynamicValue),
  private: one(3, 'bytes'),
});
export const ImportResourceState = {
  request: message({
    typeName: one(1, 'string'),
    id: one(2, 'string'),
    clientCapabilities: one(3, ClientCapabilities),
  }),
  response: message({ importedResources: many(1, ImportedResource), diagnostics: diagnosticsAt(2) }),
};
export const ReadDataSource = {
  request: message({
    typeName: one(1, 'string'),
    config: one(2, DynamicValue),
    providerMeta: one(3, DynamicValue),
    clientCapabilities: one(4, ClientCapabilities),
  }),
  response: message({ state: one(1, DynamicValue), diagnostics: diagnosticsAt(2) }),
};
export const StopProvider = { request: message({}), response: message({ error: one(1, 'string') }) };

/** `grpc.health.v1`; status 1 is SERVING. */
export const HealthCheck = {
  request: message({ service: one(1, 'string') }),
  response: message({ status: one(1, 'int') }),
};
export const Empty = { request: message({}), response: message({}) };
