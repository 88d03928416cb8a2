import { BadRow } from '../../evals/case-files/index.ts';
import { type NeutralRequest, neutralRequest, replyContent } from '../../router/dialects/index.ts';
import {
  isObject,
  type JsonObject,
  objectIn,
  objectsIn,
  parseJson,
  textIn,
} from '../../router/json/index.ts';

/** One call of a model, as a log has it. What the log does not say is left out. */
export interface LoggedCall {
  readonly id?: string;
  readonly time?: string;
  readonly model?: string;
  readonly request: NeutralRequest;
  readonly reply?: LoggedReply;
  /** 0 to 1, if the log has a score. */
  readonly quality?: number;
}

export interface LoggedReply {
  readonly text?: string;
  readonly finish_reason?: string;
  readonly input_tokens?: number;
  readonly output_tokens?: number;
  readonly cost_usd?: number;
  readonly latency_ms?: number;
}

/** Reads the records of one kind of log. */
export interface LogFormat {
  readonly format: string;
  readonly describe: string;
  /**
   * The calls in one record of a file; undefined for one that is something else, as a span of a database.
   * @throws BadRow what is wrong with it
   */
  calls(record: JsonObject): readonly LoggedCall[] | undefined;
}

/** A value that some exporters write as text in JSON. */
function value(given: unknown): unknown {
  return typeof given === 'string' ? (parseJson(given) ?? given) : given;
}

function firstOf(record: JsonObject, ...names: readonly string[]): unknown {
  return names.map((name) => record[name]).find((held) => held != null && held !== '');
}

function textOf(record: JsonObject, ...names: readonly string[]): string | undefined {
  const found = firstOf(record, ...names);
  return typeof found === 'string' || typeof found === 'number' ? String(found) : undefined;
}

/** A count or an amount; tables have them as text. */
function numberOf(record: JsonObject, ...names: readonly string[]): number | undefined {
  const found = firstOf(record, ...names);
  const number = typeof found === 'string' && found.trim() !== '' ? Number(found) : found;
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? number : undefined;
}

/** In milliseconds; undefined if one of the two is missing. */
function between(start: unknown, end: unknown): number | undefined {
  const ms = Date.parse(String(end)) - Date.parse(String(start));
  return Number.isFinite(ms) && ms >= 0 ? ms : undefined;
}

function known<T extends object>(fields: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, held]) => held !== undefined)) as never;
}

/** A request of OpenAI's two APIs or of Anthropic's. @throws BadRow */
function requestOf(given: unknown, field: string): NeutralRequest {
  const body = value(given);
  if (typeof body === 'string' && body !== '') return { messages: [{ role: 'user', content: body }] };
  if (Array.isArray(body)) return requestOf({ messages: body }, field);
  if (!isObject(body)) throw new BadRow('missing: there is no request in it', field);
  if (typeof body['prompt'] === 'string') return { messages: [{ role: 'user', content: body['prompt'] }] };
  const request = neutralRequest({ ...body, messages: messagesOf(body) }, dialectOf(body));
  if (request !== undefined) return request;
  throw new BadRow(
    'has no message that is text alone: pictures, sounds and files cannot be asked again',
    field,
  );
}

function dialectOf(body: JsonObject): 'openai' | 'anthropic' | 'responses' {
  if (body['input'] !== undefined && body['messages'] === undefined) return 'responses';
  const blocks = objectsIn(body, 'messages').flatMap((message) => objectsIn(message, 'content'));
  const ofAnthropic =
    body['system'] !== undefined || objectsIn(body, 'tools').some((tool) => 'input_schema' in tool);
  return ofAnthropic || blocks.some(({ type }) => type === 'tool_use' || type === 'tool_result')
    ? 'anthropic'
    : 'openai';
}

const ROLES: Readonly<Record<string, string>> = {
  human: 'user',
  ai: 'assistant',
  gpt: 'assistant',
  bot: 'assistant',
  model: 'assistant',
};
const LANGCHAIN_ROLES: Readonly<Record<string, string>> = {
  HumanMessage: 'user',
  AIMessage: 'assistant',
  SystemMessage: 'system',
  ToolMessage: 'tool',
};

/** Messages in the words of chat completions, whichever library wrote them. */
function messagesOf(body: JsonObject): JsonObject[] {
  const given = value(body['messages']);
  const list: unknown[] = Array.isArray(given) ? given.flat() : [];
  return list.filter(isObject).map((message) => {
    const kwargs = objectIn(message, 'kwargs');
    const kind = Array.isArray(message['id'])
      ? LANGCHAIN_ROLES[String(message['id'].at(-1)).replace(/Chunk$/, '')]
      : undefined;
    if (kind !== undefined) return { ...kwargs, role: kind };
    const said = textIn(message, 'role') ?? textIn(message, 'from') ?? textIn(message, 'type') ?? '';
    const parts = objectsIn(message, 'parts');
    const content =
      message['content'] ?? message['value'] ?? (parts.length > 0 ? parts.map(otelPart) : undefined);
    return { ...message, role: ROLES[said] ?? said, content };
  });
}

/** A part as OpenTelemetry's conventions have it. */
function otelPart(part: JsonObject): JsonObject {
  return part['type'] === 'text' ? { type: 'text', text: part['content'] ?? part['text'] } : part;
}

/** A response of one of the three APIs, a message, or a text. */
function replyOf(given: unknown): LoggedReply {
  const reply = value(given);
  if (typeof reply === 'string') return reply === '' ? {} : { text: reply };
  if (Array.isArray(reply)) return replyOf(reply[0]);
  if (!isObject(reply)) return {};
  if (typeof reply['role'] === 'string' && reply['type'] !== 'message') {
    const [message] = messagesOf({ messages: [reply] });
    return replyOf({ choices: [{ message, finish_reason: reply['finish_reason'] }] });
  }
  const dialect =
    reply['type'] === 'message' ? 'anthropic' : reply['output'] !== undefined ? 'responses' : 'openai';
  const { text, finishReason } = replyContent(dialect, reply);
  const usage = objectIn(reply, 'usage');
  return known({
    text,
    finish_reason: finishReason,
    input_tokens: numberOf(usage, 'prompt_tokens', 'input_tokens'),
    output_tokens: numberOf(usage, 'completion_tokens', 'output_tokens'),
  });
}

/** A request and its response under any of their usual names, as people write them to files themselves. */
function pairCalls(record: JsonObject): readonly LoggedCall[] {
  if (isObject(record['error']) && record['response'] == null) throw new BadRow('the call failed', 'error');
  const given = value(
    firstOf(record, 'request', 'request_body', 'body', 'params') ?? (record['messages'] ? record : undefined),
  );
  const response = value(firstOf(record, 'response', 'response_body', 'result'));
  const inner = isObject(response) ? firstOf(response, 'body', 'message') : undefined;
  const reply = inner === undefined ? response : value(inner);
  const body = isObject(given) && given['body'] !== undefined ? value(given['body']) : given;
  return [
    {
      ...known({
        id: textOf(record, 'custom_id', 'request_id', 'id'),
        time: textOf(record, 'created_at', 'timestamp', 'time'),
        model:
          (isObject(reply) && textIn(reply, 'model')) ||
          (isObject(body) && textIn(body, 'model')) ||
          undefined,
      }),
      request: requestOf(body, 'request'),
      ...withReply({
        ...replyOf(reply),
        ...known({ latency_ms: numberOf(record, 'latency_ms', 'duration_ms') }),
      }),
    },
  ];
}

/**
 * A line of a batch's output, at OpenAI or Anthropic: its request is in another file, under the same id.
 * @throws BadRow if the call failed
 */
export function batchedReply(
  record: JsonObject,
): { readonly id: string; readonly reply: LoggedReply & { readonly model?: string } } | undefined {
  const id = textIn(record, 'custom_id');
  const hasRequest = firstOf(record, 'request', 'request_body', 'body', 'params', 'messages') !== undefined;
  const [response, result] = [objectIn(record, 'response'), objectIn(record, 'result')];
  const body = response['body'] ?? result['message'];
  if (id === undefined || hasRequest) return undefined;
  const failed =
    Number(response['status_code'] ?? 200) >= 400 || (result['type'] ?? 'succeeded') !== 'succeeded';
  if (!isObject(body) || failed) throw new BadRow('the call failed', 'response');
  return { id, reply: { ...known({ model: textIn(body, 'model') }), ...replyOf(body) } };
}

function withReply(reply: LoggedReply): { reply?: LoggedReply } {
  return Object.keys(reply).length > 0 ? { reply } : {};
}

/** LiteLLM: `StandardLoggingPayload` of its callbacks, and rows of `LiteLLM_SpendLogs`. */
function litellmCalls(record: JsonObject): readonly LoggedCall[] {
  if (record['status'] === 'failure') throw new BadRow('the call failed', 'status');
  const parameters = objectIn({ value: value(record['model_parameters']) }, 'value');
  const messages = value(firstOf(record, 'messages', 'proxy_server_request'));
  const body = isObject(messages) ? messages : { ...parameters, messages };
  const seconds = numberOf(record, 'response_time');
  return [
    {
      ...known({
        id: textOf(record, 'request_id', 'id'),
        time: timeOf(firstOf(record, 'startTime', 'start_time')),
        model: textOf(record, 'model', 'model_group'),
      }),
      request: requestOf(Array.isArray(messages) || isObject(messages) ? body : messages, 'messages'),
      ...withReply({
        ...replyOf(record['response']),
        ...known({
          input_tokens: numberOf(record, 'prompt_tokens'),
          output_tokens: numberOf(record, 'completion_tokens'),
          cost_usd: numberOf(record, 'response_cost', 'spend'),
          latency_ms:
            seconds === undefined ? between(record['startTime'], record['endTime']) : seconds * 1_000,
        }),
      }),
    },
  ];
}

/** Seconds since 1970, or a text. */
function timeOf(given: unknown): string | undefined {
  if (typeof given === 'number') return new Date(given * 1_000).toISOString();
  return typeof given === 'string' ? given : undefined;
}

/** Langfuse: exported observations of the type GENERATION, and traces with their observations in them. */
function langfuseCalls(record: JsonObject): readonly LoggedCall[] | undefined {
  const observations = objectsIn(record, 'observations');
  if (observations.length > 0) return observations.flatMap((one) => langfuseCalls(one) ?? []);
  if (record['type'] !== undefined && record['type'] !== 'GENERATION') return undefined;
  const usage = {
    ...objectIn(record, 'usage'),
    ...objectIn({ value: value(record['usageDetails']) }, 'value'),
  };
  return [
    {
      ...known({
        id: textOf(record, 'id'),
        time: textOf(record, 'startTime', 'start_time'),
        model: textOf(record, 'model', 'providedModelName', 'provided_model_name'),
      }),
      request: requestOf(record['input'], 'input'),
      ...withReply({
        ...replyOf(record['output']),
        ...known({
          input_tokens:
            numberOf(usage, 'input', 'promptTokens') ?? numberOf(record, 'promptTokens', 'inputTokens'),
          output_tokens:
            numberOf(usage, 'output', 'completionTokens') ??
            numberOf(record, 'completionTokens', 'outputTokens'),
          cost_usd: numberOf(record, 'calculatedTotalCost', 'totalCost', 'total_cost'),
          latency_ms: between(record['startTime'], record['endTime']),
        }),
      }),
    },
  ];
}

/** Helicone: requests as its API and its exports have them. */
function heliconeCalls(record: JsonObject): readonly LoggedCall[] {
  return [
    {
      ...known({
        id: textOf(record, 'request_id', 'id'),
        time: textOf(record, 'request_created_at', 'createdAt', 'created_at'),
        model: textOf(record, 'response_model', 'request_model', 'model', 'model_override'),
      }),
      request: requestOf(firstOf(record, 'request_body', 'requestBody', 'request'), 'request_body'),
      ...withReply({
        ...replyOf(firstOf(record, 'response_body', 'responseBody', 'response')),
        ...known({
          input_tokens: numberOf(record, 'prompt_tokens', 'promptTokens'),
          output_tokens: numberOf(record, 'completion_tokens', 'completionTokens'),
          cost_usd: numberOf(record, 'cost_usd', 'costUSD', 'cost'),
          latency_ms: numberOf(record, 'delay_ms', 'latency', 'latency_ms'),
        }),
      }),
    },
  ];
}

/** LangSmith: runs of the type llm. */
function langsmithCalls(record: JsonObject): readonly LoggedCall[] | undefined {
  if (record['run_type'] !== undefined && record['run_type'] !== 'llm') return undefined;
  if (typeof record['error'] === 'string' && record['error'] !== '')
    throw new BadRow('the call failed', 'error');
  const [extra, outputs] = [record['extra'], record['outputs']].map((one) =>
    objectIn({ value: value(one) }, 'value'),
  );
  const generations: unknown = outputs?.['generations'];
  const [generation] = Array.isArray(generations) ? generations.flat() : [];
  const message = objectIn(objectIn(generation, 'message'), 'kwargs');
  const text = textIn(generation, 'text') ?? textIn(message, 'content');
  return [
    {
      ...known({
        id: textOf(record, 'id'),
        time: textOf(record, 'start_time'),
        model:
          textIn(objectIn(extra, 'metadata'), 'ls_model_name') ??
          textIn(objectIn(extra, 'invocation_params'), 'model') ??
          textIn(objectIn(extra, 'invocation_params'), 'model_name'),
      }),
      request: requestOf(value(record['inputs']), 'inputs'),
      ...withReply({
        ...(generation === undefined ? replyOf(outputs?.['message'] ?? outputs) : known({ text })),
        ...known({
          input_tokens: numberOf(record, 'prompt_tokens'),
          output_tokens: numberOf(record, 'completion_tokens'),
          cost_usd: numberOf(record, 'total_cost'),
          latency_ms: between(record['start_time'], record['end_time']),
        }),
      }),
    },
  ];
}

/** OpenTelemetry: spans with the attributes `gen_ai.*`, in the JSON of OTLP. */
function otelCalls(record: JsonObject): readonly LoggedCall[] | undefined {
  const spans = objectsIn(record, 'resourceSpans')
    .flatMap((one) => [...objectsIn(one, 'scopeSpans'), ...objectsIn(one, 'instrumentationLibrarySpans')])
    .flatMap((one) => objectsIn(one, 'spans'));
  if (spans.length === 0) return record['attributes'] === undefined ? undefined : spanCalls(record);
  return spans.flatMap((span) => spanCalls(span) ?? []);
}

function spanCalls(span: JsonObject): readonly LoggedCall[] | undefined {
  const attributes = attributesOf(span);
  const model = textOf(attributes, 'gen_ai.response.model', 'gen_ai.request.model');
  const asked =
    firstOf(attributes, 'gen_ai.input.messages', 'gen_ai.prompt') ??
    numberedMessages(attributes, 'gen_ai.prompt');
  if (model === undefined || asked === undefined) return undefined;
  const said =
    firstOf(attributes, 'gen_ai.output.messages', 'gen_ai.completion') ??
    numberedMessages(attributes, 'gen_ai.completion');
  const system = value(attributes['gen_ai.system_instructions']);
  const texts = (Array.isArray(system) ? system : [])
    .filter(isObject)
    .map((part) => textIn(part, 'content') ?? '');
  const messages = value(asked);
  const instructed = texts.length === 0 ? [] : [{ role: 'system', content: texts.join('\n\n') }];
  const [start, end] = [span['startTimeUnixNano'], span['endTimeUnixNano']].map((nano) => Number(nano) / 1e6);
  return [
    {
      ...known({
        id: textOf(span, 'spanId'),
        time: Number.isFinite(start) ? new Date(start ?? 0).toISOString() : undefined,
        model,
      }),
      request: requestOf(
        Array.isArray(messages) ? [...instructed, ...messages] : messages,
        'gen_ai.input.messages',
      ),
      ...withReply({
        ...replyOf(said),
        ...known({
          input_tokens: numberOf(attributes, 'gen_ai.usage.input_tokens', 'gen_ai.usage.prompt_tokens'),
          output_tokens: numberOf(attributes, 'gen_ai.usage.output_tokens', 'gen_ai.usage.completion_tokens'),
          latency_ms: numberOf({ ms: (end ?? Number.NaN) - (start ?? Number.NaN) }, 'ms'),
        }),
      }),
    },
  ];
}

function attributesOf(span: JsonObject): JsonObject {
  const pairs = objectsIn(span, 'attributes').map(({ key, value: held }) => {
    const [only] = isObject(held) ? Object.entries(held) : [];
    return [String(key), only?.[0] === 'intValue' ? Number(only[1]) : only?.[1]] as const;
  });
  return pairs.length > 0 ? Object.fromEntries(pairs) : objectIn(span, 'attributes');
}

/** As OpenLLMetry writes them: `gen_ai.prompt.0.role`, `gen_ai.prompt.0.content`. */
function numberedMessages(attributes: JsonObject, name: string): JsonObject[] | undefined {
  const messages: JsonObject[] = [];
  for (let at = 0; attributes[`${name}.${at}.content`] !== undefined; at++) {
    const role = attributes[`${name}.${at}.role`] ?? (name.endsWith('prompt') ? 'user' : 'assistant');
    messages.push({ role, content: attributes[`${name}.${at}.content`] });
  }
  return messages.length === 0 ? undefined : messages;
}

/** promptfoo: a file of results, whose scores are labels. */
function promptfooCalls(record: JsonObject): readonly LoggedCall[] | undefined {
  const inner = objectIn(record, 'results');
  const results = objectsIn(inner, 'results');
  if (results.length > 0) return results.flatMap((one) => promptfooCalls(one) ?? []);
  if (record['provider'] === undefined) return undefined;
  const { provider } = record;
  const response = objectIn(record, 'response');
  const usage = objectIn(response, 'tokenUsage');
  const score = numberOf(record, 'score');
  return [
    {
      ...known({
        model: isObject(provider) ? (textIn(provider, 'label') ?? textIn(provider, 'id')) : String(provider),
        quality: score !== undefined && score <= 1 ? score : undefined,
      }),
      request: requestOf(textIn(objectIn(record, 'prompt'), 'raw') ?? record['prompt'], 'prompt.raw'),
      ...withReply({
        ...replyOf(response['output']),
        ...known({
          input_tokens: numberOf(usage, 'prompt'),
          output_tokens: numberOf(usage, 'completion'),
          cost_usd: numberOf(record, 'cost') ?? numberOf(response, 'cost'),
          latency_ms: numberOf(record, 'latencyMs'),
        }),
      }),
    },
  ];
}

/** Conversations without more: `messages`, or ShareGPT's `conversations`. A last turn of the model is its reply. */
function chatCalls(record: JsonObject): readonly LoggedCall[] {
  const all = messagesOf({ messages: record['messages'] ?? record['conversations'] });
  const last = all.at(-1);
  const replied = last?.['role'] === 'assistant' && all.length > 1;
  const given = { ...record, messages: replied ? all.slice(0, -1) : all };
  if (all.length === 0) throw new BadRow('missing: there are no messages or conversations', 'messages');
  return [
    {
      ...known({ id: textOf(record, 'id', 'conversation_id'), model: textOf(record, 'model') }),
      request: requestOf(given, 'messages'),
      ...withReply(replied ? replyOf({ choices: [{ message: last }] }) : {}),
    },
  ];
}

/** Logs of calls, as `plimsoll import` names them. */
export const LOG_FORMATS: readonly LogFormat[] = [
  {
    format: 'openai-log',
    describe: 'OpenAI: lines with request and response, or a file of a batch',
    calls: pairCalls,
  },
  {
    format: 'anthropic-log',
    describe: 'Anthropic: lines with request and response, or a file of a batch',
    calls: pairCalls,
  },
  {
    format: 'litellm',
    describe: 'LiteLLM: StandardLoggingPayload, or rows of its spend logs',
    calls: litellmCalls,
  },
  {
    format: 'langfuse',
    describe: 'Langfuse: exported generations, or traces with observations',
    calls: langfuseCalls,
  },
  { format: 'helicone', describe: 'Helicone: exported requests', calls: heliconeCalls },
  { format: 'langsmith', describe: 'LangSmith: exported runs', calls: langsmithCalls },
  { format: 'otel', describe: 'OpenTelemetry: spans with gen_ai attributes, OTLP in JSON', calls: otelCalls },
  { format: 'promptfoo', describe: 'promptfoo: results; their scores become labels', calls: promptfooCalls },
  { format: 'chats', describe: 'conversations: messages, or ShareGPT’s conversations', calls: chatCalls },
];
