import type { Dialect, TokenCounts } from '../catalog/index.ts';
import { countIn, fieldIn, isObject, type JsonObject, objectIn, parseJson } from '../json/index.ts';
import type { Mutable } from '../types.ts';

/**
 * Tokens of a plain reply. `inputTokens` is all of the input, including what the provider had in its cache: OpenAI counts so, and
 * Anthropic's three counts are added. Undefined if a count is missing.
 * OpenAI API reference, "The chat completion object" and "Embeddings"; Anthropic API reference, "Messages", field `usage`. OpenAI's
 * `cache_write_tokens` as @ai-sdk/openai reads it: part of `prompt_tokens`.
 */
export function parseUsage(reply: unknown, dialect: Dialect): TokenCounts | undefined {
  const counts = objectIn(reply, 'usage');
  return USAGES[dialect](counts);
}

const USAGES: Readonly<Record<Dialect, (counts: JsonObject) => TokenCounts | undefined>> = {
  openai: openaiUsage,
  anthropic: anthropicUsage,
  responses: responsesUsage,
};

/** `[DONE]` and the like say nothing. */
const SHORTEST_EVENT = 16;
const CHARACTERS_PER_TOKEN = 4;
/** What an event with text has beyond one without, besides its text: `"content":""`. */
const CONTENT_FIELD = 12;

/**
 * Tokens of a streamed reply, read event by event while it passes. The last count that a provider reports holds: OpenAI's comes in the chunk
 * after the text (if the client asked for it), Anthropic's input in `message_start` and its output in `message_delta`. A later 0 does
 * not undo an earlier count: some servers repeat fields in `message_delta` that they have no value for.
 */
export class UsageReader {
  readonly #dialect: Dialect;
  readonly #hasLogprobs: boolean;
  #counts: JsonObject = {};
  #final = false;
  #events = 0;
  #characters = 0;
  #shortest = Number.POSITIVE_INFINITY;

  /** @param hasLogprobs events may have log-probabilities of their tokens, which are no output */
  constructor(dialect: Dialect, hasLogprobs = false) {
    this.#dialect = dialect;
    this.#hasLogprobs = hasLogprobs;
  }

  /** An event that holds no counts. */
  readText(data: string): void {
    const length = this.#hasLogprobs ? lengthWithoutLogprobs(data) : data.length;
    if (length <= SHORTEST_EVENT) return;
    this.#events++;
    this.#characters += length;
    if (length < this.#shortest) this.#shortest = length;
  }

  /** `data` is that of one event. Most are text: only those that may hold counts are parsed. */
  read(data: string): void {
    this.readText(data);
    if (data.includes('"usage"') && !data.includes('"usage":null')) this.#count(data);
  }

  /** Undefined until the provider has reported the final counts. */
  usage(): TokenCounts | undefined {
    return this.#final ? parseUsage({ usage: this.#counts }, this.#dialect) : undefined;
  }

  /**
   * Tokens of output by the events so far, for a stream whose provider reports none: one an event. OpenAI's dialect reports none unless it is
   * asked to, and some servers put many tokens into one event: there it is a token for four characters, if that is more.
   */
  estimatedOutputTokens(): number {
    if (this.#dialect !== 'openai' || this.#events === 0) return this.#events;
    const text = this.#characters - this.#events * (this.#shortest + CONTENT_FIELD);
    return Math.max(this.#events, Math.ceil(text / CHARACTERS_PER_TOKEN));
  }

  /** As far as the provider has counted. */
  get outputTokens(): number {
    return countIn(this.#counts, this.#dialect === 'openai' ? 'completion_tokens' : 'output_tokens') ?? 0;
  }

  #count(data: string): void {
    const event = parseJson(data);
    const usage = fieldIn(event, 'usage');
    const holder = fieldIn(event, this.#dialect === 'responses' ? 'response' : 'message');
    const counts = isObject(usage) ? usage : fieldIn(holder, 'usage');
    if (!isObject(counts)) return;
    const known = Object.entries(counts).filter(
      ([name, value]) => value !== null && !(isZero(value) && this.#counts[name] !== undefined),
    );
    this.#counts = { ...this.#counts, ...Object.fromEntries(known) };
    this.#final ||= this.#dialect !== 'anthropic' || fieldIn(event, 'type') === 'message_delta';
  }
}

const LOGPROBS = /"logprobs":\s?\{/;
/** OpenAI and the servers that copy it write it behind the log-probabilities. */
const AFTER_LOGPROBS = '"finish_reason"';

function lengthWithoutLogprobs(data: string): number {
  const from = data.search(LOGPROBS);
  if (from === -1) return data.length;
  const to = data.indexOf(AFTER_LOGPROBS, from);
  return to === -1 ? from : data.length - (to - from);
}

/** A count of 0, or a group of them. */
function isZero(value: unknown): boolean {
  return value === 0 || (isObject(value) && Object.values(value).every((one) => one === 0));
}

function openaiUsage(counts: JsonObject): TokenCounts | undefined {
  const inputTokens = countIn(counts, 'prompt_tokens');
  // Embeddings have a total and no output: the rest of the total is 0.
  const rest = (countIn(counts, 'total_tokens') ?? Number.NaN) - (inputTokens ?? Number.NaN);
  const outputTokens = countIn(counts, 'completion_tokens') ?? (rest >= 0 ? rest : undefined);
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  const details = objectIn(counts, 'prompt_tokens_details');
  return withCache(
    { inputTokens, outputTokens },
    countIn(details, 'cached_tokens'),
    countIn(details, 'cache_write_tokens'),
  );
}

/** OpenAI API reference, "The response object", field `usage`. */
function responsesUsage(counts: JsonObject): TokenCounts | undefined {
  const inputTokens = countIn(counts, 'input_tokens');
  const outputTokens = countIn(counts, 'output_tokens');
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  const details = objectIn(counts, 'input_tokens_details');
  return withCache(
    { inputTokens, outputTokens },
    countIn(details, 'cached_tokens'),
    countIn(details, 'cache_write_tokens'),
  );
}

function anthropicUsage(counts: JsonObject): TokenCounts | undefined {
  const fresh = countIn(counts, 'input_tokens');
  const outputTokens = countIn(counts, 'output_tokens');
  if (fresh === undefined || outputTokens === undefined) return undefined;
  const read = countIn(counts, 'cache_read_input_tokens');
  const written = countIn(counts, 'cache_creation_input_tokens');
  const written1h = countIn(objectIn(counts, 'cache_creation'), 'ephemeral_1h_input_tokens');
  return withCache(
    { inputTokens: fresh + (read ?? 0) + (written ?? 0), outputTokens },
    read,
    written,
    written1h,
  );
}

function withCache(
  counts: Mutable<TokenCounts>,
  read: number | undefined,
  written: number | undefined,
  written1h?: number | undefined,
): TokenCounts {
  if (read !== undefined) counts.cachedInputTokens = read;
  if (written !== undefined) counts.cacheWriteInputTokens = written;
  if (written1h) counts.cacheWrite1hInputTokens = written1h;
  return counts;
}
