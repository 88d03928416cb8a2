import type { LabelNeed } from './label-need.ts';
import type { TrafficMix } from './mix.ts';
import type { DesignModel } from './models.ts';
import type { QualityRow } from './qualities.ts';
import type { QualityEstimate } from './quality-estimates.ts';
import type { Priors } from './shipped-priors.ts';

export interface DesignOptions {
  readonly mix: TrafficMix;
  /** Two or more. */
  readonly models: readonly DesignModel[];
  readonly qualities: readonly QualityRow[];
  /** What the qualities are, for a person. */
  readonly table: string;
  /** Largest mean quality loss against the strongest model, above 0 and below 1. */
  readonly margin: number;
  /** The gate's confidence. Default .95. */
  readonly confidence?: number;
  /** Against which losses count, and the top of the ladder. Default: the model of the highest expected quality, of equals the cheaper one. */
  readonly strongest?: string;
  /** How routers rank and how models agree. */
  readonly priors: Pick<Priors, 'ranking' | 'agreement' | 'spread'>;
  /** Default 2. Ladders of three do worse than designs say (docs/EXPERIMENTS.md). */
  readonly maxRungs?: 2 | 3;
  /** Qualities and losses are forecast for this many requests, 1 or more. Default: as many as the mix was counted on, else 1,000. */
  readonly requests?: number;
  /** Default 400. */
  readonly draws?: number;
  /** Default 1. */
  readonly seed?: number;
}

/** What is expected, and the ends between which it lies in 95 % of the worlds that the assumptions allow. */
export interface Expected {
  readonly expected: number;
  readonly low: number;
  readonly high: number;
}

export interface DesignedModel {
  readonly model: string;
  readonly quality: Expected;
  /** Against the strongest. */
  readonly quality_loss: Expected;
  /** Mean US dollars a request. */
  readonly cost_usd: number;
}

/** A proposed router, in the words of `plimsoll design --json`. Costs are mean US dollars a request. */
export interface Design {
  readonly schema_version: 1;
  /** `route`: the ladder below; `one-model`: a cheaper model alone is expected to be good enough; `keep`: routing is not expected to pay. */
  readonly advice: 'route' | 'one-model' | 'keep';
  readonly sentence: string;
  readonly margin: number;
  readonly confidence: number;
  readonly mix: Omit<TrafficMix, 'tasks'> & {
    readonly tasks: readonly {
      readonly task: string;
      readonly share: number;
      readonly input_tokens: number | null;
      readonly output_tokens: number | null;
    }[];
  };
  readonly strongest: string;
  /** The intervals of qualities and losses, but for those by task, are of the mean of this many requests drawn from the mix. */
  readonly requests: number;
  readonly single_models: readonly DesignedModel[];
  /** Corners of what mixing single models at random reaches. */
  readonly best_mix: readonly { readonly cost_usd: number; readonly quality: number }[];
  /** Cheapest first, with the share of requests that each gets. */
  readonly ladder: readonly { readonly candidate: string; readonly model: string; readonly share: number }[];
  /** Escalating this share: what it comes to, whatever the gate will say. */
  readonly policy: {
    readonly escalation_rate: number;
    readonly cost_usd: Expected;
    readonly quality: Expected;
    readonly quality_loss: Expected;
    /** Quality above the best mix of single models that costs as much. */
    readonly above_best_mix: number;
  };
  /** Share of the bill of the strongest model alone that is saved, if the gate sets the threshold so that half the margin is lost: what `policy.cost_usd` leaves, in the same worlds. */
  readonly saved: Expected;
  /** From everything escalated to nothing; the band is of quality at that share. */
  readonly curve: readonly {
    readonly escalation_rate: number;
    readonly cost_usd: number;
    readonly quality: Expected;
  }[];
  readonly labels: LabelNeed;
  /** By task and model of the ladder: what the design takes the quality to be, and from what. */
  readonly qualities: readonly {
    readonly task: string;
    readonly model: string;
    readonly quality: Expected;
    readonly n: number;
    readonly from: QualityEstimate['from'];
  }[];
  readonly assumptions: readonly string[];
}
