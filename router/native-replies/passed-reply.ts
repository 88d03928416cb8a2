import type { Provider, TokenCounts } from '../catalog/index.ts';
import {
  type AttemptOutcome,
  clientHeaders,
  contentEncoding,
  decodedBody,
  type Head,
  headFault,
  isTooComplex,
  type OpenExchange,
  type ProviderCall,
  reportedError,
  reportedFailure,
  SseReader,
  wholeBody,
} from '../exchange/index.ts';
import { countIn, fieldIn, isObject, type JsonObject, objectIn, parseJson } from '../json/index.ts';
import { type PassedRequest, withOwnResults } from '../passthrough/index.ts';

/** The headers of a passed-through request, from those that every request to the provider has. */
export function passedHeaders(
  headers: Readonly<Record<string, string>>,
  { contentType, accept }: PassedRequest,
  provider: Provider,
): Record<string, string> {
  const { 'content-type': _, authorization, ...own } = headers;
  const key = authorization === undefined ? {} : keyHeader(provider, authorization);
  return {
    ...key,
    ...own,
    accept: accept ?? '*/*',
    ...(contentType !== undefined && { 'content-type': contentType }),
  };
}

function keyHeader({ kind, platform }: Provider, bearer: string): Record<string, string> {
  const wantsKey = kind === 'google' && platform === undefined;
  return wantsKey ? { 'x-goog-api-key': bearer.replace(/^Bearer /, '') } : { authorization: bearer };
}

/**
 * A 2xx of a passed-through route, byte for byte and of any type. JSON is held and read for its tokens, and for an error in place of what was
 * asked for; a stream of events is read as it passes; anything else, or JSON that is too long to hold, is not looked at.
 */
export async function passedReply(
  call: ProviderCall,
  { exchange, head }: OpenExchange,
  idleMs: number,
  key: string | undefined,
  maxBytes: number,
): Promise<AttemptOutcome> {
  const encoded = contentEncoding(head) !== undefined;
  const reply = {
    kind: 'reply',
    status: head.status,
    headers: clientHeaders(head.headers, encoded, key),
  } as const;
  const isJson = headFault(head, false) === undefined;
  const whole = isJson && !encoded ? await exchange.whole(maxBytes, idleMs, call.memory) : undefined;
  if (whole !== undefined) return wholeReply(call, head, whole, key);
  const bytes = decodedBody(exchange, head, idleMs);
  if (headFault(head, true) !== undefined) return { ...reply, body: bytes, usage: () => undefined };
  let usage: TokenCounts | undefined;
  const body = watched(bytes, (data) => {
    usage = usageIn(parseJson(data)) ?? usage;
  });
  return { ...reply, body, usage: () => usage };
}

/** Routes whose replies describe what the provider keeps, and what went wrong with it earlier. */
const KEPT_THINGS: ReadonlySet<ProviderCall['operation']> = new Set(['files', 'batches']);

function wholeReply(call: ProviderCall, head: Head, whole: Buffer, key: string | undefined): AttemptOutcome {
  const { status, headers } = head;
  const { operation } = call;
  const text = whole.toString('utf8');
  const json = isTooComplex(whole) ? undefined : parseJson(text);
  const error = KEPT_THINGS.has(operation) ? undefined : reportedError(json);
  if (error !== undefined) return reportedFailure(call, head, error, key);
  const edited = operation === 'batches' ? withOwnResults(text, json) : undefined;
  const usage = usageIn(json);
  return {
    kind: 'reply',
    status,
    headers: clientHeaders(headers, edited !== undefined, key),
    body: wholeBody(edited === undefined ? whole : Buffer.from(edited)),
    usage: () => usage,
  };
}

/** Events that may have counts are handed to `onUsage` while their bytes pass. */
async function* watched(
  bytes: AsyncIterable<Uint8Array>,
  onUsage: (data: string) => void,
): AsyncGenerator<Uint8Array> {
  const reader = new SseReader();
  for await (const chunk of bytes) {
    for (const { data } of reader.push(chunk)) if (data.includes('"usage')) onUsage(data);
    yield chunk;
  }
}

/** Tokens by OpenAI's older names (completions), its newer ones (images, transcriptions) or Google's; undefined if the reply has none. */
function usageIn(json: unknown): TokenCounts | undefined {
  if (isObject(fieldIn(json, 'usageMetadata'))) return googleUsage(objectIn(json, 'usageMetadata'));
  if (!isObject(fieldIn(json, 'usage'))) return undefined;
  const counts = objectIn(json, 'usage');
  const inputTokens = countIn(counts, 'prompt_tokens') ?? countIn(counts, 'input_tokens');
  const outputTokens = countIn(counts, 'completion_tokens') ?? countIn(counts, 'output_tokens');
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  const cached =
    countIn(objectIn(counts, 'prompt_tokens_details'), 'cached_tokens') ??
    countIn(objectIn(counts, 'input_tokens_details'), 'cached_tokens');
  return { inputTokens, outputTokens, ...(cached !== undefined && { cachedInputTokens: cached }) };
}

/**
 * Google's `promptTokenCount` includes what came from its cache, and leaves out what its own tools added to the prompt, which costs the same
 * (Gemini API reference, UsageMetadata).
 */
function googleUsage(counts: JsonObject): TokenCounts | undefined {
  const prompt = countIn(counts, 'promptTokenCount');
  if (prompt === undefined) return undefined;
  const inputTokens = prompt + (countIn(counts, 'toolUsePromptTokenCount') ?? 0);
  const outputTokens =
    (countIn(counts, 'candidatesTokenCount') ?? 0) + (countIn(counts, 'thoughtsTokenCount') ?? 0);
  const cached = countIn(counts, 'cachedContentTokenCount');
  return { inputTokens, outputTokens, ...(cached !== undefined && { cachedInputTokens: cached }) };
}
