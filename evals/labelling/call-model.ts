import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { logprobSignals } from '../../router/cascade/index.ts';
import { type CatalogModel, costUsd } from '../../router/catalog/index.ts';
import type { ModelClient } from '../../router/create-gateway.ts';
import { replyContent } from '../../router/dialects/index.ts';
import { givesLogprobs } from '../../router/exchange/index.ts';
import { countIn, objectIn, objectsIn, parseJson, textIn } from '../../router/json/index.ts';
import { priceOf } from './call-cost.ts';
import type { JournalReply } from './journal.ts';

/** A question to a model. */
export interface ModelCall {
  /** `<provider>/<model>`. */
  readonly model: string;
  readonly caseId: string;
  /** Distinguishes calls of one case with one body, such as the votes of a judge. */
  readonly purpose: string;
  /** Body of a chat completion of OpenAI's API, with max_tokens and without `model`. */
  readonly body: Readonly<Record<string, unknown>>;
  /** Whether log-probabilities are asked for where the API has them; default true. */
  readonly logprobs?: boolean;
}

/** Begins the purpose of each call of a judge. */
export const JUDGE_PURPOSE = 'judge ';

export function isOfJudge({ purpose }: ModelCall): boolean {
  return purpose.startsWith(JUDGE_PURPOSE);
}

/** The same question of the same case to the same model has one key, in every run. */
export function keyOf({ model, caseId, purpose, body }: ModelCall): string {
  return createHash('sha256')
    .update(JSON.stringify([model, caseId, purpose, body]))
    .digest('hex')
    .slice(0, 32);
}

/** The outcome of the tries of one call. */
export type Tried =
  | {
      readonly kind: 'reply';
      readonly reply: Omit<JournalReply, 'key' | 'case' | 'model' | 'charged_usd' | 'judge'>;
    }
  /** @field ofProvider whether it says something of the provider and not of this request */
  | { readonly kind: 'failed'; readonly why: string; readonly ofProvider: boolean }
  /** No reply, and the signal was aborted before the next try. */
  | { readonly kind: 'interrupted'; readonly why: string }
  /** Whoever made it is gone: it may have been billed. */
  | { readonly kind: 'lost' };

/** Makes calls, in this process or in others. */
export interface Caller {
  call(call: ModelCall): Promise<Tried>;
  /** The call of a key, if an earlier process began it and it goes on, or has its end waiting: to `call` it asks nobody anew. */
  underway(key: string): Promise<ModelCall | undefined>;
  /** To be called when the end of a call is on the disk. */
  settled(call: ModelCall): Promise<void>;
}

export interface CallOptions {
  readonly client: ModelClient;
  /** Waits before further tries, in ms, after the gateway's own retries were used up. */
  readonly waitsMs: readonly number[];
  /** Aborted: nothing is tried again. */
  readonly signal: AbortSignal;
}

/** Waits before further tries, in ms. */
export const DEFAULT_WAITS_MS: readonly number[] = [1_000, 2_000, 4_000, 8_000, 16_000];

/** Calls models from this process. */
export class ModelCaller implements Caller {
  readonly #options: CallOptions;
  readonly #withoutLogprobs = new Set<string>();

  constructor(options: CallOptions) {
    this.#options = options;
    setMaxListeners(0, options.signal); // each call that waits for its next try listens
  }

  async underway(): Promise<undefined> {
    // it died with its process
  }

  async settled(): Promise<void> {}

  /** Tries until there is a reply, or no further try makes sense. */
  async call(call: ModelCall): Promise<Tried> {
    const { client, waitsMs, signal } = this.#options;
    const model = client.catalog.get(call.model);
    for (let tries = 0; ; tries++) {
      const tried = await this.#tryOnce(model, call);
      if (tried.kind !== 'later') return tried;
      const wait = waitsMs[tries];
      if (signal.aborted) return { kind: 'interrupted', why: tried.why };
      if (wait === undefined) return { kind: 'failed', why: tried.why, ofProvider: true };
      await sleep(Math.min(MOST_WAITED_MS, Math.max(wait, tried.retryAfterMs ?? 0)), undefined, {
        signal,
      }).catch(() => {});
    }
  }

  async #tryOnce(model: CatalogModel, call: ModelCall): Promise<Tried | Later> {
    const { body, logprobs = true } = call;
    const withLogprobs = logprobs && givesLogprobs(model) && !this.#withoutLogprobs.has(model.name);
    const startedMs = performance.now();
    const response = await this.#options.client.respond({
      ...body,
      model: model.name,
      ...(withLogprobs && { logprobs: true }),
    });
    const text = await textOf(response);
    const latencyMs = performance.now() - startedMs;
    if (text === undefined) return { kind: 'later', why: 'its reply broke off' };
    if (response.ok) return { kind: 'reply', reply: replyFrom(text, response.headers, latencyMs, model) };
    const why = failureOf(response.status, text);
    if (response.headers.get('x-should-retry') === 'false') {
      return { kind: 'failed', why: faultOfOperator(text) ?? why, ofProvider: true };
    }
    if (RETRYABLE.has(response.status)) {
      const after = Number(response.headers.get('retry-after') ?? 0);
      return { kind: 'later', why, retryAfterMs: 1000 * after };
    }
    if (withLogprobs && response.status === 400) {
      this.#withoutLogprobs.add(model.name); // some models refuse to give them
      return this.#tryOnce(model, call);
    }
    return { kind: 'failed', why, ofProvider: false };
  }
}

interface Later {
  readonly kind: 'later';
  readonly why: string;
  readonly retryAfterMs?: number;
}

const MOST_WAITED_MS = 120_000;
/** What the gateway says about a provider that is down, busy or slow. */
const RETRYABLE: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504, 529]);

/** Undefined if it broke off. */
async function textOf(response: Response): Promise<string | undefined> {
  try {
    return await response.text();
  } catch {
    return undefined;
  }
}

function failureOf(status: number, text: string): string {
  const code = textIn(objectIn(parseJson(text), 'error'), 'code');
  return code === undefined ? `status ${status}` : `status ${status}, ${code.slice(0, 60)}`;
}

/** The gateway's own words for a fault that stays, such as a wrong key: they name the fault, and nothing that the provider said. */
function faultOfOperator(text: string): string | undefined {
  return /^No model could answer: (.+)\. Trying again/.exec(
    textIn(objectIn(parseJson(text), 'error'), 'message') ?? '',
  )?.[1];
}

function replyFrom(
  text: string,
  headers: Headers,
  latencyMs: number,
  model: CatalogModel,
): Extract<Tried, { kind: 'reply' }>['reply'] {
  const json = parseJson(text);
  const content = replyContent('openai', json);
  const usage = objectIn(json, 'usage');
  const inputTokens = countIn(usage, 'prompt_tokens');
  const outputTokens = countIn(usage, 'completion_tokens');
  const given = objectIn(objectsIn(json, 'choices')[0], 'logprobs');
  const signals = logprobSignals(objectsIn(given, 'content').map(({ logprob }) => logprob));
  const cost = costOf(headers, model, inputTokens, outputTokens);
  const { confidenceLogprob, meanLogprob, minLogprob } = signals;
  return {
    text: content.text ?? content.calls[0]?.input ?? '',
    ...(content.finishReason !== undefined && { finish_reason: content.finishReason }),
    ...(inputTokens !== undefined && { input_tokens: inputTokens }),
    ...(outputTokens !== undefined && { output_tokens: outputTokens }),
    ...(cost !== undefined && { cost_usd: cost }),
    latency_ms: Math.round(latencyMs * 10) / 10,
    ...(confidenceLogprob !== undefined && { confidence_logprob: confidenceLogprob }),
    ...(meanLogprob !== undefined && { mean_logprob: meanLogprob }),
    ...(minLogprob !== undefined && { min_logprob: minLogprob }),
  };
}

/** The gateway knows what was read from a cache; its header has eight decimals, which is too coarse for the cheapest replies. */
function costOf(
  headers: Headers,
  model: CatalogModel,
  inputTokens: number | undefined,
  outputTokens: number | undefined,
): number | undefined {
  const header = headers.get('x-plimsoll-cost-usd');
  if (header !== null && Number(header) >= FINE_ENOUGH_USD) return Number(header);
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  return costUsd(priceOf(model), { inputTokens, outputTokens });
}

const FINE_ENOUGH_USD = 1e-4;
