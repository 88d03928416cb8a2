import { z } from 'zod';
import { PlimsollError, quoted } from '../errors.ts';
import { isObject, type JsonObject } from '../json/index.ts';

const schemaObject = z.record(z.string(), z.unknown());

const inlineDataSchema = z.object({ mimeType: z.string(), data: z.string() });

/** Parts of a turn; a part that has none of these is refused. */
const partSchema = z.looseObject({
  text: z.string().optional(),
  thought: z.boolean().optional(),
  inlineData: inlineDataSchema.optional(),
  fileData: z.object({ mimeType: z.string().optional(), fileUri: z.string() }).optional(),
  functionCall: z
    .object({ id: z.string().optional(), name: z.string(), args: schemaObject.optional() })
    .optional(),
  functionResponse: z
    .object({ id: z.string().optional(), name: z.string(), response: z.unknown() })
    .optional(),
});

const contentSchema = z.object({ role: z.string().optional(), parts: z.array(partSchema).optional() });

const toolSchema = z.strictObject({
  functionDeclarations: z
    .array(
      z.looseObject({
        name: z.string(),
        description: z.string().optional(),
        parameters: schemaObject.optional(),
        parametersJsonSchema: schemaObject.optional(),
      }),
    )
    .optional(),
});

const configSchema = z.strictObject({
  temperature: z.number().optional(),
  topP: z.number().optional(),
  topK: z.number().optional(),
  candidateCount: z.int().positive().optional(),
  maxOutputTokens: z.int().positive().optional(),
  stopSequences: z.array(z.string()).optional(),
  seed: z.int().optional(),
  presencePenalty: z.number().optional(),
  frequencyPenalty: z.number().optional(),
  responseMimeType: z.enum(['text/plain', 'application/json']).optional(),
  responseSchema: schemaObject.optional(),
  responseJsonSchema: schemaObject.optional(),
  responseModalities: z.array(z.enum(['TEXT'])).optional(),
  thinkingConfig: z.unknown().optional(),
  mediaResolution: z.unknown().optional(),
});

/** The fields of a request to `generateContent` that other APIs have too (https://ai.google.dev/api/generate-content). */
const requestSchema = z.strictObject({
  contents: z.array(contentSchema).min(1),
  systemInstruction: contentSchema.optional(),
  tools: z.array(toolSchema).optional(),
  toolConfig: z
    .strictObject({
      functionCallingConfig: z
        .strictObject({
          mode: z.enum(['MODE_UNSPECIFIED', 'AUTO', 'ANY', 'NONE', 'VALIDATED']).optional(),
          allowedFunctionNames: z.array(z.string()).optional(),
        })
        .optional(),
    })
    .optional(),
  generationConfig: configSchema.optional(),
  safetySettings: z.unknown().optional(),
  labels: z.unknown().optional(),
});

type GoogleRequest = z.infer<typeof requestSchema>;
type Part = z.infer<typeof partSchema>;

/** A request in OpenAI's form, and the paths of Google's fields that it has no place for. */
interface ChatRequest {
  readonly body: JsonObject;
  readonly dropped: readonly string[];
}

/** Hints that only Google's models know: they are left out, and named. */
const HINTS = ['safetySettings', 'labels'] as const;
const CONFIG_HINTS = ['topK', 'thinkingConfig', 'mediaResolution'] as const;

/**
 * A request to `generateContent` as a chat completion, for models of other providers and for routing.
 * @param model what the path names
 * @throws PlimsollError `invalid-input` with the field's path in `place.field`, for every field that is unknown or has no counterpart
 */
export function chatRequest(body: JsonObject, model: string, stream: boolean): ChatRequest {
  const request = parsed(body);
  const { generationConfig: config = {} } = request;
  const dropped = [
    ...HINTS.filter((name) => request[name] !== undefined),
    ...CONFIG_HINTS.filter((name) => config[name] !== undefined).map((name) => `generationConfig.${name}`),
  ];
  const tools = functionTools(request);
  const fields = {
    model,
    messages: messagesOf(request),
    tools: tools.length > 0 ? tools : undefined,
    tool_choice: tools.length > 0 ? toolChoice(request) : undefined,
    temperature: config.temperature,
    top_p: config.topP,
    n: config.candidateCount === 1 ? undefined : config.candidateCount,
    max_tokens: config.maxOutputTokens,
    stop: config.stopSequences,
    seed: config.seed,
    presence_penalty: config.presencePenalty,
    frequency_penalty: config.frequencyPenalty,
    response_format: responseFormat(config),
    stream: stream || undefined,
    stream_options: stream ? { include_usage: true } : undefined,
  };
  return {
    body: Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)),
    dropped,
  };
}

function parsed(body: JsonObject): GoogleRequest {
  const { success, data, error } = requestSchema.safeParse(body);
  if (success) return data;
  const [issue] = error.issues;
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const field = [...(issue?.path ?? []), ...unknown].map(String).join('.');
  const why =
    unknown.length > 0
      ? 'has no counterpart outside Google; name a model whose provider is of the kind google'
      : (issue?.message ?? 'is invalid');
  throw invalid(field, why);
}

function invalid(field: string, why: string): PlimsollError {
  return new PlimsollError('invalid-input', `${quoted(field)}: ${why}.`, { place: { field } });
}

/** Calls without ids are numbered; a response belongs to the first open call of its name. */
class Calls {
  #count = 0;
  #open: { readonly id: string; readonly name: string }[] = [];

  add(name: string, id = `call_${this.#count}`): string {
    this.#count++;
    this.#open.push({ id, name });
    return id;
  }

  answer(name: string, id: string | undefined, field: string): string {
    const at = this.#open.findIndex((call) => (id === undefined ? call.name === name : call.id === id));
    const [call] = at < 0 ? [] : this.#open.splice(at, 1);
    if (call === undefined) throw invalid(field, 'answers no functionCall before it');
    return call.id;
  }
}

function messagesOf({ contents, systemInstruction }: GoogleRequest): JsonObject[] {
  const calls = new Calls();
  const system = (systemInstruction?.parts ?? []).flatMap(({ text }) => (text === undefined ? [] : [text]));
  const turns = contents.flatMap(({ role = 'user', parts = [] }, at) => {
    const field = `contents.${at}`;
    if (role === 'model') return [assistantMessage(parts, field, calls)];
    if (role === 'user' || role === 'function') return userMessages(parts, field, calls);
    throw invalid(`${field}.role`, 'must be user or model');
  });
  return system.length === 0 ? turns : [{ role: 'system', content: system.join('\n\n') }, ...turns];
}

function assistantMessage(parts: readonly Part[], field: string, calls: Calls): JsonObject {
  const spoken = parts.filter(({ thought }) => !thought);
  const texts = spoken.flatMap(({ text }) => (text === undefined ? [] : [text]));
  const toolCalls = spoken.flatMap(({ functionCall }) =>
    functionCall === undefined
      ? []
      : [
          {
            id: calls.add(functionCall.name, functionCall.id),
            type: 'function',
            function: { name: functionCall.name, arguments: JSON.stringify(functionCall.args ?? {}) },
          },
        ],
  );
  const other = spoken.findIndex(
    ({ text, functionCall }) => text === undefined && functionCall === undefined,
  );
  if (other >= 0)
    throw invalid(`${field}.parts.${other}`, 'a turn of the model may have text and functionCall');
  return {
    role: 'assistant',
    content: texts.length > 0 ? texts.join('') : null,
    ...(toolCalls.length > 0 && { tool_calls: toolCalls }),
  };
}

function userMessages(parts: readonly Part[], field: string, calls: Calls): JsonObject[] {
  const results: JsonObject[] = [];
  const content: JsonObject[] = [];
  for (const [at, part] of parts.entries()) {
    const path = `${field}.parts.${at}`;
    const { functionResponse: result } = part;
    if (result === undefined) content.push(userPart(part, path));
    else {
      const id = calls.answer(result.name, result.id, `${path}.functionResponse`);
      results.push({ role: 'tool', tool_call_id: id, content: resultText(result.response) });
    }
  }
  const [first] = content;
  const isText = content.length === 1 && first?.['type'] === 'text';
  return content.length === 0
    ? results
    : [...results, { role: 'user', content: isText ? first['text'] : content }];
}

/** Google's clients put a plain result into `output` or `result`. */
function resultText(response: unknown): string {
  if (!isObject(response)) return typeof response === 'string' ? response : JSON.stringify(response ?? null);
  const [only, ...more] = Object.entries(response);
  const isPlain = more.length === 0 && (only?.[0] === 'output' || only?.[0] === 'result');
  return isPlain && typeof only[1] === 'string' ? only[1] : JSON.stringify(response);
}

function userPart({ text, inlineData, fileData }: Part, path: string): JsonObject {
  if (text !== undefined) return { type: 'text', text };
  if (inlineData !== undefined) return mediaPart(inlineData, `${path}.inlineData`);
  if (fileData !== undefined && /^https?:/.test(fileData.fileUri)) {
    return { type: 'image_url', image_url: { url: fileData.fileUri } };
  }
  throw invalid(path, 'must have text, inlineData, a fileData with an http address, or functionResponse');
}

const SOUNDS: Readonly<Record<string, string>> = {
  'audio/wav': 'wav',
  'audio/x-wav': 'wav',
  'audio/mp3': 'mp3',
  'audio/mpeg': 'mp3',
};

function mediaPart({ mimeType, data }: z.infer<typeof inlineDataSchema>, path: string): JsonObject {
  const url = `data:${mimeType};base64,${data}`;
  if (mimeType.startsWith('image/')) return { type: 'image_url', image_url: { url } };
  const format = SOUNDS[mimeType];
  if (format !== undefined) return { type: 'input_audio', input_audio: { data, format } };
  if (mimeType === 'application/pdf')
    return { type: 'file', file: { filename: 'document.pdf', file_data: url } };
  throw invalid(`${path}.mimeType`, 'must be of an image, application/pdf, audio/wav or audio/mp3');
}

function functionTools({ tools = [] }: GoogleRequest): JsonObject[] {
  return tools.flatMap(({ functionDeclarations = [] }) =>
    functionDeclarations.map(({ name, description, parameters, parametersJsonSchema }) => ({
      type: 'function',
      function: {
        name,
        ...(description !== undefined && { description }),
        parameters: parametersJsonSchema ??
          (parameters && jsonSchema(parameters)) ?? { type: 'object', properties: {} },
      },
    })),
  );
}

function toolChoice({ toolConfig }: GoogleRequest): unknown {
  const { mode, allowedFunctionNames: names = [] } = toolConfig?.functionCallingConfig ?? {};
  if (mode === 'NONE') return 'none';
  if (mode !== 'ANY') return undefined;
  return names.length === 1 ? { type: 'function', function: { name: names[0] } } : 'required';
}

function responseFormat(config: z.infer<typeof configSchema>): unknown {
  if (config.responseMimeType !== 'application/json') return undefined;
  const schema = config.responseJsonSchema ?? (config.responseSchema && jsonSchema(config.responseSchema));
  if (schema === undefined) return { type: 'json_object' };
  return { type: 'json_schema', json_schema: { name: 'response', schema } };
}

/** Google's older form of a schema (OpenAPI 3.0, types in capitals, `nullable`) as JSON Schema. */
function jsonSchema(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(jsonSchema);
  if (!isObject(schema)) return schema;
  const { type, nullable, properties, items, anyOf, propertyOrdering: _, ...others } = schema;
  const named = isObject(properties)
    ? Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, jsonSchema(one)]))
    : undefined;
  const lower = typeof type === 'string' ? type.toLowerCase() : type;
  return {
    ...(lower !== undefined && { type: nullable === true ? [lower, 'null'] : lower }),
    ...others,
    ...(named && { properties: named }),
    ...(items !== undefined && { items: jsonSchema(items) }),
    ...(anyOf !== undefined && { anyOf: jsonSchema(anyOf) }),
  };
}
