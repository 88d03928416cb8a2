import { type Json, objects } from './json.ts';
import { type ChatRequest, promptTokens, type Reply } from './reply.ts';

/** Signature of every function call; must come back with the call. */
export const THOUGHT_SIGNATURE = 'dGhvdWdodCBvZiBieSB0aGUgZmFrZSBwcm92aWRlcg==';
/** Models that refuse a call which comes back without its signature. */
const SIGNS_CALLS = /^gemini-[3-9]/;
const FINISH = { stop: 'STOP', 'stop-sequence': 'STOP', length: 'MAX_TOKENS', tool: 'STOP' } as const;
const METHOD = /^\/v1(?:beta)?\/models\/([^/:]+):(generateContent|streamGenerateContent|countTokens)$/;

export interface GoogleCall {
  readonly model: string;
  readonly method: 'generateContent' | 'streamGenerateContent' | 'countTokens';
}

/** The model and the method in the path of a request; undefined if the path is not Google's. */
export function googleMethod(path: string): GoogleCall | undefined {
  const [, model, method] = METHOD.exec(path.replace(/\?.*$/, '')) ?? [];
  return model === undefined ? undefined : { model, method: method as GoogleCall['method'] };
}

/** Reads the body of a request to `generateContent`. */
export function parseGoogleRequest(model: string, body: Json): ChatRequest {
  const system = partsOf(body['systemInstruction'] as Json | undefined);
  const parts = objects(body['contents']).flatMap(partsOf);
  const config = (body['generationConfig'] ?? {}) as Json;
  const functions = objects(body['tools']).flatMap(({ functionDeclarations }) =>
    objects(functionDeclarations),
  );
  const isJson = config['responseMimeType'] === 'application/json';
  return {
    model,
    text: [...system, ...parts].map(({ text }) => text ?? '').join('\n'),
    images: parts.filter(({ inlineData, fileData }) => inlineData ?? fileData).length,
    tools: functions.map(({ name, parameters, parametersJsonSchema }) => ({
      name: String(name),
      schema: parametersJsonSchema ?? parameters,
    })),
    toolChoice: parseToolChoice(body['toolConfig'] as Json | undefined),
    toolResults: parts.flatMap(({ functionResponse }) =>
      functionResponse ? [resultText(functionResponse)] : [],
    ),
    schema: config['responseJsonSchema'] ?? config['responseSchema'] ?? (isJson ? {} : undefined),
    maxTokens: config['maxOutputTokens'] as number | undefined,
    stop: (config['stopSequences'] ?? []) as string[],
    logprobs: config['responseLogprobs'] === true,
  };
}

/** The reply of `countTokens`. */
export function googleCount(request: ChatRequest): Json {
  const tokens = promptTokens(request);
  return { totalTokens: tokens, promptTokensDetails: [{ modality: 'TEXT', tokenCount: tokens }] };
}

export function googleResponse(reply: Reply): Json {
  const parts = [...textPart(reply.words.join('')), ...callParts(reply)];
  return chunk(reply, parts, FINISH[reply.finish], reply.logprobs);
}

/** The events of a stream, each with the blank line that ends it. Function calls come whole. */
export function googleEvents(reply: Reply): string[] {
  const event = (parts: readonly Json[], finish?: string, logprobs?: readonly number[]) =>
    `data: ${JSON.stringify(chunk(reply, parts, finish, logprobs))}\r\n\r\n`;
  return [
    ...reply.words.map((text, i) => event([{ text }], undefined, reply.logprobs?.slice(i, i + 1))),
    ...callParts(reply).map((part) => event([part])),
    event([{ text: '' }], FINISH[reply.finish]),
  ];
}

function chunk(
  reply: Reply,
  parts: readonly Json[],
  finishReason?: string,
  logprobs?: readonly number[],
): Json {
  const chosenCandidates = logprobs?.map((logProbability) => ({ token: '', tokenId: 0, logProbability }));
  const { inputTokens, outputTokens, model } = reply;
  return {
    candidates: [
      {
        content: { role: 'model', parts },
        ...(finishReason && { finishReason }),
        index: 0,
        ...(chosenCandidates && { logprobsResult: { topCandidates: [], chosenCandidates } }),
      },
    ],
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
  return toolCalls.map(({ name, input }, i) => ({
    functionCall: { name, args: JSON.parse(input) },
    ...(i === 0 && SIGNS_CALLS.test(model) && { thoughtSignature: THOUGHT_SIGNATURE }),
  }));
}

function parseToolChoice(config: Json | undefined): ChatRequest['toolChoice'] {
  const { mode, allowedFunctionNames } = (config?.['functionCallingConfig'] ?? {}) as Json;
  if (mode === 'NONE') return 'none';
  if (mode !== 'ANY') return undefined;
  const [name] = (allowedFunctionNames ?? []) as readonly string[];
  return name === undefined ? 'any' : { name };
}

/** The text of a function's result; clients choose the field that holds it. */
function resultText(functionResponse: unknown): string {
  const { response = {} } = functionResponse as { response?: Json };
  const content = response['content'] ?? response['output'] ?? response['result'];
  return typeof content === 'string' ? content : JSON.stringify(response);
}

function partsOf(content: Json | undefined): readonly Json[] {
  return objects(content?.['parts']);
}
