import { BadRow } from '../../evals/case-files/index.ts';
import { isObject, type JsonObject, objectIn, objectsIn, textIn } from '../../router/json/index.ts';
import {
  elapsedMs,
  firstField,
  type LoggedCall,
  type LoggedReply,
  numberField,
  parsedIfJson,
  readMessages,
  readReply,
  readRequest,
  textField,
  withoutUndefined,
  withReply,
} from './logged-call.ts';

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

/** A request and its response under any of their usual names, as people write them to files themselves. */
function pairCalls(record: JsonObject): readonly LoggedCall[] {
  if (isObject(record['error']) && record['response'] == null) throw new BadRow('the call failed', 'error');
  const given = parsedIfJson(
    firstField(record, 'request', 'request_body', 'body', 'params') ??
      (record['messages'] ? record : undefined),
  );
  const response = parsedIfJson(firstField(record, 'response', 'response_body', 'result'));
  const inner = isObject(response) ? firstField(response, 'body', 'message') : undefined;
  const reply = inner === undefined ? response : parsedIfJson(inner);
  const body = isObject(given) && given['body'] !== undefined ? parsedIfJson(given['body']) : given;
  return [
    {
      ...withoutUndefined({
        id: textField(record, 'custom_id', 'request_id', 'id'),
        time: textField(record, 'created_at', 'timestamp', 'time'),
        model:
          (isObject(reply) && textIn(reply, 'model')) ||
          (isObject(body) && textIn(body, 'model')) ||
          undefined,
      }),
      request: readRequest(body, 'request'),
      ...withReply({
        ...readReply(reply),
        ...withoutUndefined({ latency_ms: numberField(record, 'latency_ms', 'duration_ms') }),
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
  const hasRequest =
    firstField(record, 'request', 'request_body', 'body', 'params', 'messages') !== undefined;
  const [response, result] = [objectIn(record, 'response'), objectIn(record, 'result')];
  const body = response['body'] ?? result['message'];
  if (id === undefined || hasRequest) return undefined;
  const failed =
    Number(response['status_code'] ?? 200) >= 400 || (result['type'] ?? 'succeeded') !== 'succeeded';
  if (!isObject(body) || failed) throw new BadRow('the call failed', 'response');
  return { id, reply: { ...withoutUndefined({ model: textIn(body, 'model') }), ...readReply(body) } };
}

/** LiteLLM: `StandardLoggingPayload` of its callbacks, and rows of `LiteLLM_SpendLogs`. */
function litellmCalls(record: JsonObject): readonly LoggedCall[] {
  if (record['status'] === 'failure') throw new BadRow('the call failed', 'status');
  const parameters = objectIn({ value: parsedIfJson(record['model_parameters']) }, 'value');
  const messages = parsedIfJson(firstField(record, 'messages', 'proxy_server_request'));
  const body = isObject(messages) ? messages : { ...parameters, messages };
  const seconds = numberField(record, 'response_time');
  return [
    {
      ...withoutUndefined({
        id: textField(record, 'request_id', 'id'),
        time: timeOf(firstField(record, 'startTime', 'start_time')),
        model: textField(record, 'model', 'model_group'),
      }),
      request: readRequest(Array.isArray(messages) || isObject(messages) ? body : messages, 'messages'),
      ...withReply({
        ...readReply(record['response']),
        ...withoutUndefined({
          input_tokens: numberField(record, 'prompt_tokens'),
          output_tokens: numberField(record, 'completion_tokens'),
          cost_usd: numberField(record, 'response_cost', 'spend'),
          latency_ms:
            seconds === undefined ? elapsedMs(record['startTime'], record['endTime']) : seconds * 1_000,
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
    ...objectIn({ value: parsedIfJson(record['usageDetails']) }, 'value'),
  };
  return [
    {
      ...withoutUndefined({
        id: textField(record, 'id'),
        time: textField(record, 'startTime', 'start_time'),
        model: textField(record, 'model', 'providedModelName', 'provided_model_name'),
      }),
      request: readRequest(record['input'], 'input'),
      ...withReply({
        ...readReply(record['output']),
        ...withoutUndefined({
          input_tokens:
            numberField(usage, 'input', 'promptTokens') ?? numberField(record, 'promptTokens', 'inputTokens'),
          output_tokens:
            numberField(usage, 'output', 'completionTokens') ??
            numberField(record, 'completionTokens', 'outputTokens'),
          cost_usd: numberField(record, 'calculatedTotalCost', 'totalCost', 'total_cost'),
          latency_ms: elapsedMs(record['startTime'], record['endTime']),
        }),
      }),
    },
  ];
}

/** Helicone: requests as its API and its exports have them. */
function heliconeCalls(record: JsonObject): readonly LoggedCall[] {
  return [
    {
      ...withoutUndefined({
        id: textField(record, 'request_id', 'id'),
        time: textField(record, 'request_created_at', 'createdAt', 'created_at'),
        model: textField(record, 'response_model', 'request_model', 'model', 'model_override'),
      }),
      request: readRequest(firstField(record, 'request_body', 'requestBody', 'request'), 'request_body'),
      ...withReply({
        ...readReply(firstField(record, 'response_body', 'responseBody', 'response')),
        ...withoutUndefined({
          input_tokens: numberField(record, 'prompt_tokens', 'promptTokens'),
          output_tokens: numberField(record, 'completion_tokens', 'completionTokens'),
          cost_usd: numberField(record, 'cost_usd', 'costUSD', 'cost'),
          latency_ms: numberField(record, 'delay_ms', 'latency', 'latency_ms'),
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
    objectIn({ value: parsedIfJson(one) }, 'value'),
  );
  const generations: unknown = outputs?.['generations'];
  const [generation] = Array.isArray(generations) ? generations.flat() : [];
  const message = objectIn(objectIn(generation, 'message'), 'kwargs');
  const text = textIn(generation, 'text') ?? textIn(message, 'content');
  return [
    {
      ...withoutUndefined({
        id: textField(record, 'id'),
        time: textField(record, 'start_time'),
        model:
          textIn(objectIn(extra, 'metadata'), 'ls_model_name') ??
          textIn(objectIn(extra, 'invocation_params'), 'model') ??
          textIn(objectIn(extra, 'invocation_params'), 'model_name'),
      }),
      request: readRequest(parsedIfJson(record['inputs']), 'inputs'),
      ...withReply({
        ...(generation === undefined
          ? readReply(outputs?.['message'] ?? outputs)
          : withoutUndefined({ text })),
        ...withoutUndefined({
          input_tokens: numberField(record, 'prompt_tokens'),
          output_tokens: numberField(record, 'completion_tokens'),
          cost_usd: numberField(record, 'total_cost'),
          latency_ms: elapsedMs(record['start_time'], record['end_time']),
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
  const model = textField(attributes, 'gen_ai.response.model', 'gen_ai.request.model');
  const asked =
    firstField(attributes, 'gen_ai.input.messages', 'gen_ai.prompt') ??
    numberedMessages(attributes, 'gen_ai.prompt');
  if (model === undefined || asked === undefined) return undefined;
  const said =
    firstField(attributes, 'gen_ai.output.messages', 'gen_ai.completion') ??
    numberedMessages(attributes, 'gen_ai.completion');
  const system = parsedIfJson(attributes['gen_ai.system_instructions']);
  const texts = (Array.isArray(system) ? system : [])
    .filter(isObject)
    .map((part) => textIn(part, 'content') ?? '');
  const messages = parsedIfJson(asked);
  const instructed = texts.length === 0 ? [] : [{ role: 'system', content: texts.join('\n\n') }];
  const [start, end] = [span['startTimeUnixNano'], span['endTimeUnixNano']].map((nano) => Number(nano) / 1e6);
  return [
    {
      ...withoutUndefined({
        id: textField(span, 'spanId'),
        time: Number.isFinite(start) ? new Date(start ?? 0).toISOString() : undefined,
        model,
      }),
      request: readRequest(
        Array.isArray(messages) ? [...instructed, ...messages] : messages,
        'gen_ai.input.messages',
      ),
      ...withReply({
        ...readReply(said),
        ...withoutUndefined({
          input_tokens: numberField(attributes, 'gen_ai.usage.input_tokens', 'gen_ai.usage.prompt_tokens'),
          output_tokens: numberField(
            attributes,
            'gen_ai.usage.output_tokens',
            'gen_ai.usage.completion_tokens',
          ),
          latency_ms: numberField({ ms: (end ?? Number.NaN) - (start ?? Number.NaN) }, 'ms'),
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
  const score = numberField(record, 'score');
  return [
    {
      ...withoutUndefined({
        model: isObject(provider) ? (textIn(provider, 'label') ?? textIn(provider, 'id')) : String(provider),
        quality: score !== undefined && score <= 1 ? score : undefined,
      }),
      request: readRequest(textIn(objectIn(record, 'prompt'), 'raw') ?? record['prompt'], 'prompt.raw'),
      ...withReply({
        ...readReply(response['output']),
        ...withoutUndefined({
          input_tokens: numberField(usage, 'prompt'),
          output_tokens: numberField(usage, 'completion'),
          cost_usd: numberField(record, 'cost') ?? numberField(response, 'cost'),
          latency_ms: numberField(record, 'latencyMs'),
        }),
      }),
    },
  ];
}

/** Conversations without more: `messages`, or ShareGPT's `conversations`. A last turn of the model is its reply. */
function chatCalls(record: JsonObject): readonly LoggedCall[] {
  const all = readMessages({ messages: record['messages'] ?? record['conversations'] });
  const last = all.at(-1);
  const replied = last?.['role'] === 'assistant' && all.length > 1;
  const given = { ...record, messages: replied ? all.slice(0, -1) : all };
  if (all.length === 0) throw new BadRow('missing: there are no messages or conversations', 'messages');
  return [
    {
      ...withoutUndefined({
        id: textField(record, 'id', 'conversation_id'),
        model: textField(record, 'model'),
      }),
      request: readRequest(given, 'messages'),
      ...withReply(replied ? readReply({ choices: [{ message: last }] }) : {}),
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
