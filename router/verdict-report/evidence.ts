import { z } from 'zod';
import { populationSchema } from '../monitoring/index.ts';

/** JSON knows no undefined: what cannot be measured is null, never 0. */
const known = z.number().nullable();
const share = z.number().min(0).max(1);
const count = z.int().min(0);

const baselineSchema = z.strictObject({
  name: z.string(),
  /** At the policy's own share of escalations; of always cheap and always strong, at theirs. */
  escalation_rate: share,
  quality: share.nullable(),
  cost_usd: known,
  apgr: known,
  cpt50: known,
  cpt80: known,
});

const curveSchema = z.strictObject({
  name: z.string(),
  /** At most 101 points of the whole curve, both ends included. */
  share_escalated: z.array(share),
  quality: z.array(share),
  /** Pointwise 95 % band of the mean by the normal approximation: a description, no bound. */
  low: z.array(z.number()).optional(),
  high: z.array(z.number()).optional(),
  cost_usd: z.array(z.number()).optional(),
});

const headSchema = z.strictObject({
  candidate: z.string(),
  n: count,
  auroc: known,
  brier: z.number(),
  reliability: z.number(),
  resolution: z.number(),
  uncertainty: z.number(),
  log_loss: z.number(),
  ece: z.number(),
  /** Equal-mass bins, with a betting interval of what was observed. */
  bins: z.array(
    z.strictObject({
      n: count,
      predicted: share,
      observed: share,
      low: share,
      high: share,
    }),
  ),
});

const sliceSchema = z.strictObject({
  name: z.string(),
  n: count,
  escalation_rate: share,
  quality_loss: z.number(),
  /** Two-sided betting interval of the loss at the suite's confidence, each slice for itself. */
  low: z.number(),
  high: z.number(),
  /** Texts in a script that the vocabulary cannot read: the strongest rung gets them unscored. Left out if there are none. */
  unreadable: count.optional(),
  /** Cases that the artifact abstains from, as nothing similar was labelled: the strongest rung gets them unscored. Left out if there are none. */
  nothing_similar: count.optional(),
  /** In a row by task: cases that belong to it only by prediction. Left out if there are none. */
  predicted_tasks: count.optional(),
});

const millisecondsSchema = z.strictObject({ mean: z.number(), p50: z.number(), p95: z.number() });

/** What a cascade does with the requests at the accept level that serves. */
const cascadeSchema = z.strictObject({
  /** The verdict's threshold: a reply with a larger predicted loss escalates. */
  accept: z.number(),
  /** The limit on the prompt's predicted loss that goes with it: above, the request goes straight up. */
  skip: z.number(),
  /** Went straight up, got a reply that was judged, were escalated after the looks: these add up to 1. */
  share_skipped: share,
  share_accepted: share,
  share_escalated: share,
  /** Cases of whose reply to be judged nothing is known: unless the rung is skipped, each counts as kept with a loss of 1. */
  unknown_replies: count,
  /** From the cases' own latencies, of all calls that are made; null if no case has those of every model. */
  latency: z
    .strictObject({
      n: count,
      routed_ms: millisecondsSchema,
      strong_ms: millisecondsSchema,
      /** Case by case against always-strong; negative where the cheap model alone was faster. */
      added_ms: millisecondsSchema,
    })
    .nullable(),
  /** One per rung but the strongest, cheapest first; left out with two rungs, for which the figures above say everything. */
  rungs: z
    .array(
      z.strictObject({
        candidate: z.string(),
        /** The limit on the prompt's predicted loss on this rung. */
        skip: z.number(),
        /** Shares of all cases: the model is called; its reply goes out. */
        share_called: share,
        share_accepted: share,
      }),
    )
    .optional(),
});

/** What a verdict rests on and the reports draw. */
export const evidenceSchema = z.strictObject({
  candidates: z.array(
    z.strictObject({ candidate: z.string(), model: z.string(), quality: share.nullable(), cost_usd: known }),
  ),
  /** What the policy sends to each rung, cheapest first. */
  rungs: z.array(
    z.strictObject({
      candidate: z.string(),
      share,
      /** Mean quality and US dollars of the cases that the rung gets; null if it gets none, or a cost is unknown. */
      quality: share.nullable(),
      cost_usd: known,
    }),
  ),
  /** Null each if only requests that may stay cheap were labelled, as is all that needs the outcomes of both ends of the ladder on all requests. */
  quality: z.strictObject({ cheap: share.nullable(), strong: share.nullable(), routed: share.nullable() }),
  quality_loss: z.number(),
  escalation_rate: share,
  /** Bits; 0 if one rung gets all. */
  routing_entropy: known,
  pgr: known,
  apgr: known,
  apgr_interval: z.strictObject({ low: z.number(), high: z.number(), level: share }).nullable(),
  aiq: known,
  cpt50: known,
  cpt80: known,
  /** Mean US dollars a case; null unless every cost is known. */
  cost: z
    .strictObject({
      routed_usd: z.number(),
      cheap_usd: z.number(),
      strong_usd: z.number(),
      saved_against_strong: known,
      saved_against_random: known,
    })
    .nullable(),
  /** Left out unless replies are judged before they go out. The cost of each call is in `cost` wherever it is made. */
  cascade: cascadeSchema.optional(),
  silent_downgrades: z.strictObject({
    margin: share,
    rate: share,
    /** The largest losses, at most 20. Ids only: a verdict holds no prompt text. */
    /** What was predicted is null of decisions that were made elsewhere. */
    worst: z.array(z.strictObject({ id: z.string(), loss: z.number(), predicted_loss: known })),
  }),
  baselines: z.array(baselineSchema),
  best_single: z.string().nullable(),
  /** What mixing the candidates at random reaches; null if costs are unknown. */
  mixing_hull: z.array(z.strictObject({ cost_usd: z.number(), quality: share })).nullable(),
  curves: z.array(curveSchema),
  heads: z.array(headSchema),
  /** Predicted loss of the cheapest candidate, by whether the strong one was really better. Counts between the edges. */
  score_histogram: z.strictObject({
    edges: z.array(z.number()),
    strong_better: z.array(count),
    cheap_as_good: z.array(count),
  }),
  slices: z.array(sliceSchema),
  /** Count over all measured cases; left out if there are none. */
  nothing_similar: count.optional(),
  hard_cases: z
    .strictObject({
      n: count,
      sha256: z.string(),
      recall: known,
      kept_cheap: known,
      slices: z.array(
        z.strictObject({
          slice: z.string(),
          strong: count,
          escalated: count,
          cheap: count,
          kept_cheap: count,
        }),
      ),
    })
    .nullable(),
  /** Decisions that each edit changes, and those of them that go to a cheaper rung. Of paraphrases, one wording always does. */
  flips: z.array(z.strictObject({ edit: z.string(), n: count, flipped: count, cheaper: count })),
  /** What the requests are like, for a watch over live ones. Left out if only a part of them was labelled, and of decisions that were made elsewhere. */
  population: populationSchema.optional(),
  routing_pays: z.boolean(),
  conclusion: z.string(),
});

/** The figures that two verdicts are compared by: what an earlier version wrote may lack the rest. */
export const comparedEvidenceSchema = z.object(evidenceSchema.shape).pick({
  quality_loss: true,
  quality: true,
  escalation_rate: true,
  silent_downgrades: true,
  cost: true,
  pgr: true,
  apgr: true,
  aiq: true,
  cpt50: true,
  cpt80: true,
});

export type ComparedEvidence = z.infer<typeof comparedEvidenceSchema>;
export type Evidence = z.infer<typeof evidenceSchema>;
export type BaselineRow = z.infer<typeof baselineSchema>;
export type Curve = z.infer<typeof curveSchema>;
