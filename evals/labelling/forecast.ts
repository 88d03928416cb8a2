import { type CatalogModel, costUsd, requirementsOf } from '../../router/catalog/index.ts';
import { differenceBound, mean, shuffledOrder } from '../../router/statistics/index.ts';
import type { JournalReply } from './journal.ts';

/** A reply that is there, and what its request was estimated at. */
export interface SeenReply {
  readonly reply: JournalReply;
  /** Estimated input tokens; undefined if the request is not known any more, as of a judge. */
  readonly inputTokens: number | undefined;
}

/** An estimate, and the ends between which it lies in 95 % of runs. */
export interface Interval {
  readonly low: number;
  readonly expected: number;
  readonly high: number;
}

/** What a run will take, as far as it is not paid for yet. */
export interface Forecast {
  readonly rows: number;
  /** Calls of candidates to be made. A judge's calls come on top: see `judgeCalls`. */
  readonly calls: number;
  /** Calls whose replies are in the journal already. */
  readonly known: number;
  /** Replies that the rows bring: captured, or from a log. */
  readonly recorded: number;
  /** US dollars spent so far; `usd` comes on top. */
  readonly spentUsd: number;
  readonly tokens: Interval;
  readonly usd: Interval;
  readonly minutes: Interval;
  /** `replies`: from those that are there, for each model; `prompts`: from the prompts and the longest reply alone, which is a guess. */
  readonly from: 'replies' | 'prompts';
  readonly certifies: CertifiableLabels;
}

/** What labels can certify. */
export interface CertifiableLabels {
  /** Sealed cases: the share of the labels that the gate gets. */
  readonly cases: number;
  /** The smallest mean quality loss that they certify, if the policy loses half of it; 1 if none. */
  readonly margin: number;
  readonly confidence: number;
}

/** A call that is to be made, and its model. */
export interface ForecastCall {
  readonly model: CatalogModel;
  readonly body: Readonly<Record<string, unknown>>;
}

interface ForecastOptions {
  readonly rows: number;
  readonly toAsk: readonly ForecastCall[];
  /** By `<provider>/<model>`. */
  readonly replies: ReadonlyMap<string, readonly SeenReply[]>;
  readonly known: number;
  readonly recorded: number;
  /** Mean output tokens of recorded replies, which others may be like; undefined if there are too few. */
  readonly recordedTokens: number | undefined;
  readonly spentUsd: number;
  readonly maxTokens: number;
  /** Calls at work at once, for each provider. */
  readonly concurrency: number;
}

/** Whether it is known well enough what the rest costs: all by replies, within a tenth in 95 % of runs. */
export function isNarrow({ from, spentUsd, usd }: Forecast): boolean {
  return from === 'replies' && usd.high - usd.expected <= NARROW * (spentUsd + usd.expected);
}

const NARROW = 0.1;
/** With fewer replies of a model its mean says too little. */
export const ENOUGH_REPLIES = 20;
/** A model writes a token in about this time, after this much before the first. */
const MS_PER_TOKEN = 20;
const MS_TO_FIRST_TOKEN = 600;

export function forecast(options: ForecastOptions): Forecast {
  const { rows, toAsk, replies, known, recorded, recordedTokens, spentUsd, maxTokens, concurrency } = options;
  const models = grouped(toAsk);
  const parts = [...models].map(([name, calls]) => {
    const seen = replies.get(name) ?? [];
    return seen.length >= ENOUGH_REPLIES
      ? fromReplies(calls, seen)
      : fromPrompts(calls, maxTokens, recordedTokens);
  });
  const providers = new Map<string, Interval>();
  for (const { provider, ms } of parts) {
    providers.set(provider, added(providers.get(provider) ?? NOTHING, ms));
  }
  const slowest = [...providers.values()].reduce(
    (most, one) => (one.expected > most.expected ? one : most),
    NOTHING,
  );
  return {
    rows,
    calls: toAsk.length,
    known,
    recorded,
    spentUsd,
    tokens: sum(parts.map(({ tokens }) => tokens)),
    usd: sum(parts.map(({ usd }) => usd)),
    minutes: scaled(slowest, 1 / (60_000 * concurrency)),
    from: parts.every(({ measured }) => measured) ? 'replies' : 'prompts',
    certifies: certifiableLabels(rows),
  };
}

interface PartForecast {
  readonly provider: string;
  readonly measured: boolean;
  readonly tokens: Interval;
  readonly usd: Interval;
  readonly ms: Interval;
}

/** Rows are asked in an order drawn at random, so the replies so far are a random sample of all. */
function fromReplies(calls: readonly ForecastCall[], seen: readonly SeenReply[]): PartForecast {
  const to = calls.map(inputTokensOf);
  const total = (value: (reply: JournalReply) => number) =>
    totalFrom(
      seen.map(({ reply, inputTokens }) => ({ x: inputTokens, y: value(reply) })),
      to,
    );
  return {
    provider: calls[0]?.model.provider.name ?? '',
    measured: true,
    tokens: total(({ input_tokens = 0, output_tokens = 0 }) => input_tokens + output_tokens),
    usd: total((reply) => reply.charged_usd),
    ms: total((reply) => reply.latency_ms),
  };
}

/**
 * The sum of n further values y, predicted from x by the line of least squares through a sample; by the sample's mean if an x is not known or all are equal.
 * With m values, of which s2 is the residual variance and S the sum of squares of x about its mean: variance s2 (n + n^2 / m + n^2 (mean of x' - mean of x)^2 / S).
 * @see Draper and Smith, Applied Regression Analysis, 3rd ed. 1998, section 3.1
 */
function totalFrom(
  sample: readonly { readonly x: number | undefined; readonly y: number }[],
  to: readonly number[],
): Interval {
  const [n, m] = [to.length, sample.length];
  if (n === 0) return NOTHING;
  const middle = mean(sample.map(({ y }) => y));
  const known = sample.flatMap(({ x, y }) => (x === undefined ? [] : [{ x, y }]));
  const centre = mean(known.map(({ x }) => x));
  const squares = known.reduce((sum, { x }) => sum + (x - centre) ** 2, 0);
  const hasLine = known.length === m && squares > 0;
  const slope = hasLine ? known.reduce((sum, { x, y }) => sum + (x - centre) * (y - middle), 0) / squares : 0;
  const away = hasLine ? mean(to) - centre : 0;
  const residual = sample.reduce(
    (sum, { x, y }) => sum + (y - middle - slope * (hasLine ? x! - centre : 0)) ** 2,
    0,
  );
  const variance =
    (residual / (m - (hasLine ? 2 : 1))) * (n + n ** 2 / m + (hasLine ? (n * away) ** 2 / squares : 0));
  const expected = Math.max(0, n * (middle + slope * away));
  const error = studentT95(m - (hasLine ? 2 : 1)) * Math.sqrt(variance);
  return { low: Math.max(0, expected - error), expected, high: expected + error };
}

/** The 97.5 % quantile of Student's t, by two terms of its expansion about the normal one (Abramowitz and Stegun 26.7.5): within .002 from 15 degrees of freedom on. */
function studentT95(freedom: number): number {
  return (
    Z95 + (Z95 ** 3 + Z95) / (4 * freedom) + (5 * Z95 ** 5 + 16 * Z95 ** 3 + 3 * Z95) / (96 * freedom ** 2)
  );
}

const Z95 = 1.96;

/** By the estimate of the catalog, which knows no tokenizer. */
export function inputTokensOf({ body }: Pick<ForecastCall, 'body'>): number {
  return requirementsOf(body, 'openai').inputTokens;
}

/** Estimates of prompts are off by a factor of up to two; of replies only the longest is known. */
function fromPrompts(
  calls: readonly ForecastCall[],
  maxTokens: number,
  recordedTokens = maxTokens / 4,
): PartForecast {
  const model = calls[0]?.model;
  const input = calls.reduce((total, call) => total + inputTokensOf(call), 0);
  const of = (inputTokens: number, perReply: number) => {
    const outputTokens = calls.length * perReply;
    return {
      tokens: inputTokens + outputTokens,
      usd: costUsd(model?.price, { inputTokens, outputTokens }) ?? 0,
      ms: calls.length * (MS_TO_FIRST_TOKEN + MS_PER_TOKEN * perReply),
    };
  };
  const [low, expected, high] = [of(input / 2, 1), of(input, recordedTokens), of(2 * input, maxTokens)];
  const interval = (field: 'tokens' | 'usd' | 'ms') => ({
    low: low[field],
    expected: expected[field],
    high: high[field],
  });
  return {
    provider: model?.provider.name ?? '',
    measured: false,
    tokens: interval('tokens'),
    usd: interval('usd'),
    ms: interval('ms'),
  };
}

const NOTHING: Interval = { low: 0, expected: 0, high: 0 };

function added(a: Interval, b: Interval): Interval {
  return { low: a.low + b.low, expected: a.expected + b.expected, high: a.high + b.high };
}

function sum(intervals: readonly Interval[]): Interval {
  return intervals.reduce(added, NOTHING);
}

function scaled({ low, expected, high }: Interval, factor: number): Interval {
  return { low: low * factor, expected: expected * factor, high: high * factor };
}

function grouped(calls: readonly ForecastCall[]): Map<string, ForecastCall[]> {
  const groups = new Map<string, ForecastCall[]>();
  for (const call of calls) {
    const group = groups.get(call.model.name);
    if (group === undefined) groups.set(call.model.name, [call]);
    else group.push(call);
  }
  return groups;
}

/** What `train` leaves sealed for the gate. */
const SEALED_SHARE = 0.4;
const CONFIDENCE = 0.95;
/** Seed of the order in which the assumed losses are bet on. */
const SEED = 1;

/**
 * The smallest margin that this many labels certify, by the gate's own bound, if the policy loses half of it: losses of 0 and 1, no gains, 40 %
 * of the labels sealed.
 * @param labels 0 or more
 * @example certifiableLabels(1500).margin // about .02
 */
export function certifiableLabels(labels: number): CertifiableLabels {
  const cases = Math.floor(SEALED_SHARE * labels);
  const certified = (lost: number) => {
    const losses = Float64Array.from(shuffledOrder(cases, SEED), (i) => (i < lost ? 1 : 0));
    return differenceBound.upper(losses, 1 - CONFIDENCE) <= (2 * lost) / cases;
  };
  let [failing, holding] = [0, Math.floor(cases / 2)];
  if (cases === 0 || !certified(holding)) return { cases, margin: 1, confidence: CONFIDENCE };
  while (holding - failing > 1) {
    const middle = Math.floor((failing + holding) / 2);
    if (certified(middle)) holding = middle;
    else failing = middle;
  }
  return { cases, margin: (2 * holding) / cases, confidence: CONFIDENCE };
}
