import type { Ask, Reply } from './reply.ts';

type Json = Readonly<Record<string, unknown>>;

/** Of every function call of a model that thinks: it must come back with the call. */
export const THOUGHT_SIGNATURE = 'dGhvdWdodCBvZiBieSB0aGUgZmFrZSBwcm92aWRlcg==';
/** From this version on a call that comes back without its signature is refused. */
const SIGNS_CALLS = /^gemini-[3-9]/;
const FINISH = { stop: 'STOP', 'stop-sequence': 'STOP', length: 'MAX_TOKENS', tool: 'STOP' } as const;
const METHOD = /^\/v1(?:beta)?\/models\/([^/:]+):(generateContent|streamGenerateContent)$/;

/** The model and the method in the path of a request; undefined if the path is not Google's. */
export function googleMethod(path: string): { readonly model: string; readonly stream: boolean } | undefined {
  const [, model, method] = METHOD.exec(path.split('?')[0]) ?? [];
  return model === undefined ? undefined : { model, stream: method === 'streamGenerateContent' };
}

/** What a request to `generateContent` asks. */
export function askOfGoogle(model: string, body: Json): Ask {
  const system = partsOf(body['systemInstruction'] as Json | undefined);
  const parts = list(body['contents']).flatMap(partsOf);
  const config = (body['generationConfig'] ?? {}) as Json;
  const functions = list(body['tools']).flatMap(({ functionDeclarations }) => list(functionDeclarations));
  const isJson = config['responseMimeType'] === 'application/json';
  return {
    model,
    text: [...system, ...parts].map(({ text }) => text ?? '').join('\n'),
    images: parts.filter(({ inlineData, fileData }) => inlineData ?? fileData).length,
    tools: functions.map(({ name, parameters, parametersJsonSchema }) => ({
      name: String(name),
      schema: parametersJsonSchema ?? parameters,
    })),
    toolChoice: choiceOf(body['toolConfig'] as Json | undefined),
    toolResults: parts.flatMap(({ functionResponse }) =>
      functionResponse ? [resultOf(functionResponse)] : [],
    ),
    schema: config['responseJsonSchema'] ?? config['responseSchema'] ?? (isJson ? {} : undefined),
    maxTokens: config['maxOutputTokens'] as number | undefined,
    stop: (config['stopSequences'] ?? []) as string[],
  };
}

export function googleAnswer(reply: Reply): Json {
  return chunk(reply, [...textPart(reply.words.join('')), ...callParts(reply)], FINISH[reply.finish]);
}

/** The events of a stream, each with the blank line that ends it. Function calls come whole. */
export function googleEvents(reply: Reply): string[] {
  const event = (parts: readonly Json[], finish?: string) =>
    `data: ${JSON.stringify(chunk(reply, parts, finish))}\r\n\r\n`;
  return [
    ...reply.words.map((text) => event([{ text }])),
    ...callParts(reply).map((part) => event([part])),
    event([{ text: '' }], FINISH[reply.finish]),
  ];
}

function chunk(reply: Reply, parts: readonly Json[], finishReason?: string): Json {
  const { inputTokens, outputTokens, model } = reply;
  return {
    candidates: [{ content: { role: 'model', parts }, ...(finishReason && { finishReason }), index: 0 }],
    usageMetadata: {
      promptTokenCount: inputTokens,
      candidatesTokenCount: outputTokens,
      totalTokenCount: inputTokens + outputTokens,
    },
    modelVersion: model,
    responseId: reply.id,
  };
}

function textPart(text: string): Json[] {
  return text === '' ? [] : [{ text }];
}

/** The first call of a turn is signed, as Google's are. */
function callParts({ model, toolCalls }: Reply): Json[] {
  return toolCalls.map(({ name, input }, at) => ({
    functionCall: { name, args: JSON.parse(input) },
    ...(at === 0 && SIGNS_CALLS.test(model) && { thoughtSignature: THOUGHT_SIGNATURE }),
  }));
}

function choiceOf(config: Json | undefined): Ask['toolChoice'] {
  const { mode, allowedFunctionNames } = (config?.['functionCallingConfig'] ?? {}) as Json;
  if (mode === 'NONE') return 'none';
  if (mode !== 'ANY') return undefined;
  const [name] = (allowedFunctionNames ?? []) as readonly string[];
  return name === undefined ? 'any' : { name };
}

/** Text of a function's result, which clients put into a field of their own choice. */
function resultOf(functionResponse: unknown): string {
  const { response = {} } = functionResponse as { response?: Json };
  const content = response['content'] ?? response['output'] ?? response['result'];
  return typeof content === 'string' ? content : JSON.stringify(response);
}

function partsOf(content: Json | undefined): readonly Json[] {
  return list(content?.['parts']);
}

function list(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value : [];
}
