import { type CatalogModel, costUsd, requirementsOf } from '../../router/catalog/index.ts';
import { differenceBound, mean, shuffledOrder } from '../../router/statistics/index.ts';
import type { JournalReply } from './journal.ts';

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
  readonly replies: ReadonlyMap<string, readonly JournalReply[]>;
  readonly known: number;
  readonly recorded: number;
  readonly maxTokens: number;
  /** Calls at work at once, for each provider. */
  readonly concurrency: number;
}

/** With fewer replies of a model its mean says too little. */
const ENOUGH_REPLIES = 20;
const Z95 = 1.96;
/** A model writes a token in about this time, after this much before the first. */
const MS_PER_TOKEN = 20;
const MS_TO_FIRST_TOKEN = 600;

export function forecast(options: ForecastOptions): Forecast {
  const { rows, toAsk, replies, known, recorded, maxTokens, concurrency } = options;
  const models = grouped(toAsk);
  const parts = [...models].map(([name, calls]) => {
    const seen = replies.get(name) ?? [];
    return seen.length >= ENOUGH_REPLIES ? fromReplies(calls, seen) : fromPrompts(calls, maxTokens);
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
function fromReplies(calls: readonly ForecastCall[], seen: readonly JournalReply[]): PartForecast {
  const total = (value: (reply: JournalReply) => number) => totalFrom(seen.map(value), calls.length);
  return {
    provider: calls[0]?.model.provider.name ?? '',
    measured: true,
    tokens: total(({ input_tokens = 0, output_tokens = 0 }) => input_tokens + output_tokens),
    usd: total((reply) => reply.charged_usd),
    ms: total((reply) => reply.latency_ms),
  };
}

/** The sum of n further values like those of a sample: n times its mean, with the errors of the mean and of the n values. */
function totalFrom(values: readonly number[], n: number): Interval {
  const middle = mean(values);
  const variance = values.reduce((total, value) => total + (value - middle) ** 2, 0) / (values.length - 1);
  const error = Z95 * n * Math.sqrt(variance * (1 / values.length + 1 / Math.max(1, n)));
  return { low: Math.max(0, n * middle - error), expected: n * middle, high: n * middle + error };
}

/** Estimates of prompts are off by a factor of up to two; of replies only the longest is known. */
function fromPrompts(calls: readonly ForecastCall[], maxTokens: number): PartForecast {
  const model = calls[0]?.model;
  const input = calls.reduce((total, { body }) => total + requirementsOf(body, 'openai').inputTokens, 0);
  const of = (inputTokens: number, perReply: number) => {
    const outputTokens = calls.length * perReply;
    return {
      tokens: inputTokens + outputTokens,
      usd: costUsd(model?.price, { inputTokens, outputTokens }) ?? 0,
      ms: calls.length * (MS_TO_FIRST_TOKEN + MS_PER_TOKEN * perReply),
    };
  };
  const [low, expected, high] = [of(input / 2, 1), of(input, maxTokens / 4), of(2 * input, maxTokens)];
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
 * The smallest margin that so many labels certify, by the gate's own bound, if the policy loses half of it: losses of 0 and 1, no gains, 40 %
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
