import { isObject } from '../json/index.ts';
import { type Path, unmappable } from './losses.ts';
import type { CallOptions, JsonSchema, SdkTool } from './sdk.ts';

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
 * @param replyPath - of the reply's schema in the client's request
 * @returns undefined if the options have no schemas, and one reply is asked for
 * @throws PlimsollError `invalid-input` for a keyword in the reply's schema that Google would ignore
 */
export function separateGoogleSchemas(
  options: CallOptions,
  replyPath: Path,
  replies: number,
): SeparatedSchemas | undefined {
  const { tools, responseFormat: format } = options;
  const replySchema =
    format?.type === 'json' && format.schema ? googleSchema(format.schema, replyPath) : undefined;
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
/** Other keywords that Google enforces (Gemini API reference, GenerationConfig, JSON Schema of a response), and those that constrain nothing. */
const ENFORCED = new Set([
  ...['type', 'format', 'enum', 'required', 'minItems', 'maxItems', 'minimum', 'maximum', 'propertyOrdering'],
  ...['$id', '$anchor', '$ref', '$schema', '$comment', 'title', 'description', 'default', 'examples'],
  ...['deprecated', 'readOnly', 'writeOnly'],
]);

/**
 * A JSON Schema in the form that Google reads: `const` becomes an `enum` of one value, and a `$ref` with other keywords an `anyOf`.
 * @param path - of the schema in the client's request; without it, keywords that Google ignores are passed on unchanged
 * @throws PlimsollError `invalid-input` for a keyword that Google would ignore
 */
function googleSchema(schema: unknown, path?: Path): JsonSchema {
  return convertSchema(schema, path) as JsonSchema;
}

function convertSchema(schema: unknown, path: Path | undefined): unknown {
  if (!isObject(schema)) return schema;
  const entries = Object.entries(schema).map(([keyword, value]) => {
    const at = path && [...path, keyword];
    if (keyword === 'const') return convertConst(value, at);
    return [keyword, convertValue(keyword, value, at)] as const;
  });
  return isolateReference(Object.fromEntries(entries));
}

function convertValue(keyword: string, value: unknown, at: Path | undefined): unknown {
  if (ONE_SCHEMA.has(keyword)) return convertSchema(value, at);
  if (SCHEMA_LISTS.has(keyword) && Array.isArray(value)) {
    return value.map((one, index) => convertSchema(one, at && [...at, index]));
  }
  if (NAMED_SCHEMAS.has(keyword) && isObject(value)) {
    const named = Object.entries(value);
    return Object.fromEntries(named.map(([name, one]) => [name, convertSchema(one, at && [...at, name])]));
  }
  if (at && !ENFORCED.has(keyword)) {
    throw unmappable(at, "the chosen model's provider does not hold its answers to it");
  }
  return value;
}

function convertConst(value: unknown, at: Path | undefined): readonly [string, unknown] {
  if (typeof value === 'string' || typeof value === 'number') return ['enum', [value]];
  if (at) throw unmappable(at, "the chosen model's provider takes texts and numbers here");
  return ['const', value];
}

/** With `$ref`, Google allows only keywords that begin with `$`. */
function isolateReference(schema: Json): Json {
  const { $ref: reference, ...others } = schema;
  if (reference === undefined || Object.keys(others).every((keyword) => keyword.startsWith('$')))
    return schema;
  if (others['anyOf'] !== undefined) return schema;
  return { ...others, anyOf: [{ $ref: reference }] };
}
