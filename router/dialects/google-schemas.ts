import { isObject } from '../json/index.ts';
import type { CallOptions, JsonSchema, SdkTool } from '../targets/index.ts';

type Json = Readonly<Record<string, unknown>>;

/** Options without their schemas, and what writes the schemas, and the number of replies, into the request's body. */
interface SeparatedSchemas {
  readonly options: CallOptions;
  /** @param body - the JSON that the SDK wrote for `options` */
  readonly completeBody: (body: string) => string;
}

const EMPTY_SCHEMA: JsonSchema = { type: 'object', properties: {} };

/**
 * Google's API takes JSON Schema, but the SDK translates it into an older form and silently leaves out what that form lacks. So the schemas
 * are kept from the SDK and written into the body that it has made.
 * The SDK has no option for the number of replies, which takes the same way.
 * @returns undefined if the options have no schemas, and one reply is asked for
 */
export function separateGoogleSchemas(options: CallOptions, replies: number): SeparatedSchemas | undefined {
  const { tools, responseFormat: format } = options;
  const replySchema = format?.type === 'json' && format.schema ? googleSchema(format.schema) : undefined;
  if (tools === undefined && replySchema === undefined && replies === 1) return undefined;
  const parameters = tools?.map(parametersSchema) ?? [];
  return {
    options: {
      ...options,
      ...(tools && {
        tools: tools.map((tool) =>
          tool.type === 'function' ? { ...tool, inputSchema: EMPTY_SCHEMA } : tool,
        ),
      }),
      ...(replySchema && { responseFormat: { type: 'json' } }),
    },
    completeBody: (body) => completeBody(body, parameters, replySchema, replies),
  };
}

/** Undefined for a tool without parameters, as the SDK has it. */
function parametersSchema(tool: SdkTool): JsonSchema | undefined {
  if (tool.type !== 'function') return undefined;
  const { type, properties, additionalProperties, ...further } = tool.inputSchema;
  const none = type === 'object' && Object.keys(properties ?? {}).length === 0 && !additionalProperties;
  return none && Object.keys(further).length === 0 ? undefined : googleSchema(tool.inputSchema);
}

/** The part of Google's request that is read and completed here. */
interface GoogleBody {
  readonly tools?: readonly { readonly functionDeclarations?: readonly object[] }[];
  readonly generationConfig?: object;
}

function completeBody(
  text: string,
  parameters: readonly (JsonSchema | undefined)[],
  responseJsonSchema: JsonSchema | undefined,
  replies: number,
): string {
  const body: GoogleBody = JSON.parse(text);
  const tools = body.tools?.map(({ functionDeclarations = [], ...tool }) => ({
    ...tool,
    functionDeclarations: functionDeclarations.map((declaration, index) => ({
      ...declaration,
      ...(parameters[index] && { parametersJsonSchema: parameters[index] }),
    })),
  }));
  const generationConfig = {
    ...body.generationConfig,
    ...(responseJsonSchema && { responseJsonSchema }),
    ...(replies > 1 && { candidateCount: replies }),
  };
  return JSON.stringify({ ...body, ...(tools && { tools }), generationConfig });
}

/** Keywords of JSON Schema that hold one schema, a list of schemas, or schemas by name. */
const ONE_SCHEMA = new Set(['items', 'additionalProperties']);
const SCHEMA_LISTS = new Set(['prefixItems', 'anyOf', 'oneOf']);
const NAMED_SCHEMAS = new Set(['properties', '$defs', 'definitions']);

/** A JSON Schema in the form that Google reads: `const` becomes an `enum` of one value, and a `$ref` with other keywords an `anyOf`. */
function googleSchema(schema: JsonSchema): JsonSchema {
  return convertSchema(schema) as JsonSchema;
}

function convertSchema(schema: unknown): unknown {
  if (!isObject(schema)) return schema;
  const entries = Object.entries(schema).map(([keyword, value]) =>
    keyword === 'const' && (typeof value === 'string' || typeof value === 'number')
      ? ['enum', [value]]
      : [keyword, convertValue(keyword, value)],
  );
  return isolateReference(Object.fromEntries(entries));
}

function convertValue(keyword: string, value: unknown): unknown {
  if (ONE_SCHEMA.has(keyword)) return convertSchema(value);
  if (SCHEMA_LISTS.has(keyword) && Array.isArray(value)) return value.map(convertSchema);
  if (!NAMED_SCHEMAS.has(keyword) || !isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, convertSchema(one)]));
}

/** With `$ref`, Google allows only keywords that begin with `$`. */
function isolateReference(schema: Json): Json {
  const { $ref: reference, ...others } = schema;
  if (reference === undefined || Object.keys(others).every((keyword) => keyword.startsWith('$')))
    return schema;
  if (others['anyOf'] !== undefined) return schema;
  return { ...others, anyOf: [{ $ref: reference }] };
}
