import type { Dialect, TokenCounts } from '../catalog/index.ts';
import { parseJson } from '../json/index.ts';
import type { Mutable } from '../types.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * Tokens of a plain reply. `inputTokens` is all of the input, including what the provider had in its cache: OpenAI counts so, and
 * Anthropic's three counts are added. Undefined if a count is missing.
 * OpenAI API reference, "The chat completion object" and "Embeddings"; Anthropic API reference, "Messages", field `usage`. OpenAI's
 * `cache_write_tokens` as @ai-sdk/openai reads it: part of `prompt_tokens`.
 */
export function parseUsage(reply: unknown, dialect: Dialect): TokenCounts | undefined {
  const counts = objectIn(reply, 'usage');
  return counts && (dialect === 'openai' ? openaiUsage(counts) : anthropicUsage(counts));
}

/**
 * Tokens of a streamed reply, read event by event while it passes. The last count that a provider reports holds: OpenAI's comes in the chunk
 * after the text (if the client asked for it), Anthropic's input in `message_start` and its output in `message_delta`. A later 0 does
 * not undo an earlier count: some servers repeat fields in `message_delta` that they have no value for.
 */
export class UsageReader {
  readonly #dialect: Dialect;
  #counts: Json = {};
  #final = false;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  /** `data` is that of one event. Most are text: only those that may hold counts are parsed. */
  read(data: string): void {
    if (data.includes('"usage"') && !data.includes('"usage":null')) this.#count(data);
  }

  /** Undefined until the provider has reported the final counts. */
  usage(): TokenCounts | undefined {
    return this.#final ? parseUsage({ usage: this.#counts }, this.#dialect) : undefined;
  }

  #count(data: string): void {
    const event = parseJson(data);
    const counts = objectIn(event, 'usage') ?? objectIn(objectIn(event, 'message'), 'usage');
    if (counts === undefined) return;
    const known = Object.entries(counts).filter(
      ([name, value]) => value !== null && !(value === 0 && this.#counts[name] !== undefined),
    );
    this.#counts = { ...this.#counts, ...Object.fromEntries(known) };
    this.#final ||= this.#dialect === 'openai' || (event as Json)['type'] === 'message_delta';
  }
}

function openaiUsage(counts: Json): TokenCounts | undefined {
  const inputTokens = count(counts['prompt_tokens']);
  // Embeddings have a total and no output: the rest of the total is 0.
  const total = count(counts['total_tokens']);
  const rest = total !== undefined && inputTokens !== undefined ? total - inputTokens : undefined;
  const outputTokens = count(counts['completion_tokens']) ?? count(rest);
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  const details = objectIn(counts, 'prompt_tokens_details');
  return withCache(
    { inputTokens, outputTokens },
    details?.['cached_tokens'],
    details?.['cache_write_tokens'],
  );
}

function anthropicUsage(counts: Json): TokenCounts | undefined {
  const fresh = count(counts['input_tokens']);
  const outputTokens = count(counts['output_tokens']);
  if (fresh === undefined || outputTokens === undefined) return undefined;
  const read = count(counts['cache_read_input_tokens']);
  const written = count(counts['cache_creation_input_tokens']);
  return withCache({ inputTokens: fresh + (read ?? 0) + (written ?? 0), outputTokens }, read, written);
}

function withCache(counts: Mutable<TokenCounts>, read: unknown, written: unknown): TokenCounts {
  const cached = count(read);
  if (cached !== undefined) counts.cachedInputTokens = cached;
  const cacheWrite = count(written);
  if (cacheWrite !== undefined) counts.cacheWriteInputTokens = cacheWrite;
  return counts;
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}

function objectIn(holder: unknown, name: string): Json | undefined {
  if (typeof holder !== 'object' || holder === null) return undefined;
  const value = (holder as Json)[name];
  return typeof value === 'object' && value !== null ? (value as Json) : undefined;
}
