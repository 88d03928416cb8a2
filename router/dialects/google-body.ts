import { googleSchema } from './google-schema.ts';
import type { ModelRequest } from './model-request.ts';
import type { CallOptions, JsonSchema, SdkTool } from './sdk-types.ts';

/** What of Google's request is read and completed here. */
interface GoogleBody {
  readonly tools?: readonly { readonly functionDeclarations?: readonly object[] }[];
  readonly generationConfig?: object;
}

type Fetch = typeof globalThis.fetch;

export interface WithSchemas {
  readonly options: CallOptions;
  /** The same fetch, with the schemas put into the bodies that go through it. */
  readonly completing: (fetch: Fetch) => Fetch;
}

const NO_SCHEMA: JsonSchema = { type: 'object', properties: {} };

/**
 * Google's API takes JSON Schema, but the SDK turns it into an older form and leaves out what that has no word for, in silence. So
 * the schemas are kept from the SDK and put into the body that it has made. Other providers' requests stay as they are.
 * @throws PlimsollError `invalid-input` for a keyword in the schema of the answer that Google would pass over
 */
export function withGoogleSchemas(call: ModelRequest, options: CallOptions): WithSchemas {
  const { tools, responseFormat: format } = options;
  const answer = format?.type === 'json' ? format.schema : undefined;
  if (call.model.provider.kind !== 'google' || (tools === undefined && answer === undefined))
    return { options, completing: (fetch) => fetch };
  const parameters = tools?.map(parametersOf) ?? [];
  const answerSchema = answer && googleSchema(answer, placeOf(call));
  const bare: CallOptions = {
    ...options,
    ...(tools && {
      tools: tools.map((tool) => (tool.type === 'function' ? { ...tool, inputSchema: NO_SCHEMA } : tool)),
    }),
    ...(answer && { responseFormat: { type: 'json' } }),
  };
  return {
    options: bare,
    completing: (fetch) => (input, init) =>
      fetch(input, { ...init, body: completed(String(init?.body), parameters, answerSchema) }),
  };
}

/** Where the schema of the answer stands in the client's request. */
function placeOf({ dialect, body }: ModelRequest): readonly string[] {
  if (dialect === 'openai') return ['response_format', 'json_schema', 'schema'];
  return body['output_format'] ? ['output_format', 'schema'] : ['output_config', 'format', 'schema'];
}

/** Undefined for a tool without parameters: so the SDK says it. */
function parametersOf(tool: SdkTool): JsonSchema | undefined {
  if (tool.type !== 'function') return undefined;
  const { type, properties, additionalProperties, ...further } = tool.inputSchema;
  const none = type === 'object' && Object.keys(properties ?? {}).length === 0 && !additionalProperties;
  return none && Object.keys(further).length === 0 ? undefined : googleSchema(tool.inputSchema);
}

function completed(
  text: string,
  parameters: readonly (JsonSchema | undefined)[],
  responseJsonSchema: JsonSchema | undefined,
): string {
  const body: GoogleBody = JSON.parse(text);
  const tools = body.tools?.map(({ functionDeclarations = [], ...tool }) => ({
    ...tool,
    functionDeclarations: functionDeclarations.map((declaration, index) => ({
      ...declaration,
      ...(parameters[index] && { parametersJsonSchema: parameters[index] }),
    })),
  }));
  const generationConfig = { ...body.generationConfig, ...(responseJsonSchema && { responseJsonSchema }) };
  return JSON.stringify({ ...body, ...(tools && { tools }), generationConfig });
}
