import type { UnmappableRule } from '../dialects/index.ts';
import type { AttemptTimeouts } from './types.ts';

/** How models are called. Times are in ms. */
export interface UpstreamSettings {
  /** Of a request with all its attempts and waits. */
  readonly deadlineMs: number;
  readonly timeouts: AttemptTimeouts;
  readonly retry: {
    readonly maxRetries: number;
    /** The first wait is drawn between 0 and this; the bound doubles with every retry, up to `maxWaitMs`. */
    readonly initialWaitMs: number;
    readonly maxWaitMs: number;
    /** No retry starts later than this after the first attempt on the model. */
    readonly budgetMs: number;
  };
  readonly breaker: {
    /** How many of the last attempts count; with fewer than `minAttempts` it stays closed. */
    readonly window: number;
    readonly minAttempts: number;
    /** It opens when more than this share of them failed. */
    readonly failureShare: number;
    readonly openMs: number;
    /** A longer Retry-After keeps it open for longer, up to this. */
    readonly maxOpenMs: number;
  };
  /** A model whose output costs more than this times that of the routed model is not fallen back to. */
  readonly maxFallbackPriceFactor?: number | undefined;
  /** A cheaper candidate may be called if no equal or stronger one is left, or none can take the request. */
  readonly allowDowngrade: boolean;
  readonly unmappable: UnmappableRule;
  /** Model -> equivalent models, called in this order if it fails. */
  readonly fallbacks: Readonly<Record<string, readonly string[]>>;
}
