import type { CatalogModel } from '../catalog/index.ts';
import { DecayedHistogram } from './decayed-histogram.ts';

/** A measurement loses half of its weight in this time. */
const HALF_LIFE_MS = 600_000;
/** Fewer measurements than these, by their weight, and the catalog is believed instead. */
const MIN_WEIGHT = 10;
/** Replies shorter than this say little about the time per token: the first and the last one count as much as those between. */
const MIN_TOKENS_OF_PACE = 4;
/** Assumed length of a reply if neither the model's own replies nor the request's limit say one, in tokens. */
const USUAL_TOKENS = 500;

/** What is measured of a model. `whole` is of replies that do not stream: their first byte comes when they are complete. */
type Measure = 'first' | 'whole' | 'perToken' | 'tokens';

/** An attempt on a model that is over, or was given up. */
export interface LatencySample {
  readonly model: string;
  readonly stream: boolean;
  /** From sending the request to the first piece of content of a stream, or to the whole of a plain reply; or until it was given up. */
  readonly ms: number;
  /** If the whole reply is known: its tokens, and how long a stream took after its first content. */
  readonly reply?: { readonly tokens: number; readonly streamedMs: number } | undefined;
}

/** Quantiles in ms. */
export interface Quantiles {
  readonly p50: number;
  readonly p95: number;
}

/** How soon a model replies; what is not known is left out. */
export interface ModelLatency {
  readonly firstToken?: Quantiles | undefined;
  readonly perToken?: Quantiles | undefined;
  /** For replies that do not stream. */
  readonly wholeReply?: Quantiles | undefined;
}

/** How soon the models reply, from the attempts of this process. */
export interface LatencyBook {
  /** About 1 µs; nothing is kept of a sample but its counts. */
  observe(sample: LatencySample): void;
  /** What was measured lately, without the catalog. */
  measured(model: string): ModelLatency;
  /** All models that were measured lately. */
  all(): ReadonlyMap<string, ModelLatency>;
  /**
   * How long a model is expected to take for a request: the median time to the first token, and for each token of the reply the median time
   * per token. The reply is as long as half of the model's replies are at most, or as the request allows if that is less. What was not
   * measured lately comes from the catalog.
   * @param maxTokens what the request allows for the reply; undefined if it sets no limit
   * @returns ms; undefined if neither measurements nor catalog say
   */
  expectedMs(model: CatalogModel, maxTokens: number | undefined): number | undefined;
  /**
   * A quantile of the time until a model's first byte counts as late: to the first token of a stream, else to the whole reply.
   * @returns ms; undefined with fewer than `minWeight` measurements
   */
  firstByteMs(model: string, stream: boolean, share: number, minWeight: number): number | undefined;
}

/** @param now ms of a clock that never goes back */
export function createLatencyBook(now: () => number = () => performance.now()): LatencyBook {
  const models = new Map<string, Map<Measure, DecayedHistogram>>();

  function add(model: string, measure: Measure, value: number): void {
    let measures = models.get(model);
    if (measures === undefined) {
      measures = new Map();
      models.set(model, measures);
    }
    let histogram = measures.get(measure);
    if (histogram === undefined) {
      histogram = new DecayedHistogram(HALF_LIFE_MS, now());
      measures.set(measure, histogram);
    }
    histogram.add(value, now());
  }

  function quantile(
    model: string,
    measure: Measure,
    share: number,
    minWeight = MIN_WEIGHT,
  ): number | undefined {
    const histogram = models.get(model)?.get(measure);
    if (histogram === undefined || histogram.weight(now()) < minWeight) return undefined;
    return histogram.quantile(share);
  }

  function quantiles(model: string, measure: Measure): Quantiles | undefined {
    const p50 = quantile(model, measure, 0.5);
    const p95 = quantile(model, measure, 0.95);
    return p50 === undefined || p95 === undefined ? undefined : { p50, p95 };
  }

  function measured(model: string): ModelLatency {
    return {
      firstToken: quantiles(model, 'first'),
      perToken: quantiles(model, 'perToken'),
      wholeReply: quantiles(model, 'whole'),
    };
  }

  return {
    observe({ model, stream, ms, reply }) {
      add(model, stream ? 'first' : 'whole', ms);
      if (reply === undefined) return;
      const { tokens, streamedMs } = reply;
      add(model, 'tokens', tokens);
      if (tokens < MIN_TOKENS_OF_PACE) return;
      // A plain reply does not show when its first token was there: the streams of the model do, if there are any.
      const pacedMs = stream ? streamedMs : ms - (quantile(model, 'first', 0.5) ?? 0);
      add(model, 'perToken', pacedMs / tokens);
    },
    measured,
    all: () => new Map([...models.keys()].map((model) => [model, measured(model)])),
    expectedMs({ name, latency }, maxTokens = Number.POSITIVE_INFINITY) {
      const first = quantile(name, 'first', 0.5) ?? latency?.firstTokenMs;
      const perToken = quantile(name, 'perToken', 0.5) ?? latency?.perTokenMs;
      if (first === undefined && perToken === undefined) return undefined;
      const usual = quantile(name, 'tokens', 0.5);
      const tokens = Math.min(usual ?? (Number.isFinite(maxTokens) ? maxTokens : USUAL_TOKENS), maxTokens);
      return (first ?? 0) + (perToken ?? 0) * tokens;
    },
    firstByteMs: (model, stream, share, minWeight) =>
      quantile(model, stream ? 'first' : 'whole', share, minWeight),
  };
}
