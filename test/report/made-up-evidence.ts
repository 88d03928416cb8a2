import type { Curve, Evidence } from '../../router/verdict-report/index.ts';

const CHEAP = 0.612;
const STRONG = 0.774;
const POINTS = Array.from({ length: 101 }, (_, i) => i / 100);

/** Two candidates, costs known, nothing undefined but what always is. */
export const evidence: Evidence = {
  candidates: [
    { candidate: 'cheap', model: 'mixtral-8x7b', quality: CHEAP, cost_usd: 0.00024 },
    { candidate: 'strong', model: 'gpt-4-1106', quality: STRONG, cost_usd: 0.0104 },
  ],
  rungs: [
    { candidate: 'cheap', share: 0.317, quality: 0.8211, cost_usd: 0.00019 },
    { candidate: 'strong', share: 0.683, quality: 0.7311, cost_usd: 0.0104 },
  ],
  quality: { cheap: CHEAP, strong: STRONG, routed: 0.7596 },
  quality_loss: 0.0144,
  escalation_rate: 0.683,
  routing_entropy: 0.9012,
  pgr: 0.9111,
  apgr: 0.6233,
  apgr_interval: { low: 0.588, high: 0.657, level: 0.95 },
  aiq: 0.7012,
  cpt50: 0.291,
  cpt80: 0.552,
  cost: {
    routed_usd: 0.00718,
    cheap_usd: 0.00024,
    strong_usd: 0.0104,
    saved_against_strong: 0.3096,
    saved_against_random: 0.1144,
  },
  silent_downgrades: {
    margin: 0.5,
    rate: 0.0331,
    worst: Array.from({ length: 12 }, (_, i) => ({
      id: `mmlu_pro/law-${1042 + 37 * i}`,
      loss: 1 - 0.02 * i,
      predicted_loss: 0.0871 - 0.0113 * i,
    })),
  },
  baselines: [
    fixed('always cheap', 0, CHEAP, 0.00024),
    fixed('always strong', 1, STRONG, 0.0104),
    ranked('random', 0.7226, 0.5, 0.5, 0.8),
    ranked('prompt length', 0.7251, 0.5172, 0.473, 0.781),
    ranked('task label', 0.7498, 0.588, 0.36, 0.64),
    ranked('nearest neighbours', 0.7533, 0.601, 0.331, 0.602),
    ranked('oracle', 0.8213, 1.2214, 0.062, 0.099),
  ],
  best_single: 'strong',
  mixing_hull: [
    { cost_usd: 0.00024, quality: CHEAP },
    { cost_usd: 0.0104, quality: STRONG },
  ],
  curves: [
    {
      ...curve('classifier', 1.0537),
      low: POINTS.map((c) => bowed(c, 1.0537) - 0.016),
      high: POINTS.map((c) => bowed(c, 1.0537) + 0.016),
    },
    curve('prompt length', 0.07),
    curve('task label', 0.774),
    curve('nearest neighbours', 0.874),
  ],
  heads: [head('cheap', 0.02), head('strong', -0.03)],
  score_histogram: {
    edges: Array.from({ length: 21 }, (_, i) => -0.2 + 0.04 * i),
    strong_better: [2, 3, 4, 8, 12, 20, 31, 44, 52, 61, 66, 63, 50, 41, 28, 19, 11, 6, 3, 1],
    cheap_as_good: [14, 31, 60, 97, 150, 201, 243, 260, 241, 202, 161, 120, 77, 51, 30, 16, 9, 4, 2, 1],
  },
  slices: [
    slice('all', 2747, 0.683, 0.0144, 0.0068),
    slice('law', 214, 0.71, 0.0327, 0.031),
    slice('maths', 388, 0.802, 0.0081, 0.0201),
    slice('everyday', 291, 0.081, 0.0032, 0.0252),
    slice('long', 174, 0.664, 0.0411, 0.0372),
    slice('multi-turn', 96, 0.552, -0.0104, 0.0455),
    slice('german', 43, 0.465, 0.0012, 0.0703),
    slice('language: de', 43, 0.465, 0.0012, 0.0703),
    { ...slice('language: zh', 40, 1, 0, 0.06), unreadable: 36 },
  ],
  hard_cases: {
    n: 120,
    sha256: 'd'.repeat(64),
    recall: 0.9375,
    kept_cheap: 0.8,
    slices: [
      { slice: 'proofs', strong: 20, escalated: 19, cheap: 10, kept_cheap: 9 },
      { slice: 'contracts', strong: 20, escalated: 20, cheap: 10, kept_cheap: 7 },
      { slice: 'small talk', strong: 0, escalated: 0, cheap: 20, kept_cheap: 16 },
      { slice: 'code review', strong: 40, escalated: 36, cheap: 0, kept_cheap: 0 },
    ],
  },
  flips: [
    { edit: 'case', n: 2747, flipped: 96, cheaper: 41 },
    { edit: 'white-space', n: 2747, flipped: 0, cheaper: 0 },
    { edit: 'politeness', n: 2747, flipped: 181, cheaper: 60 },
    { edit: 'punctuation', n: 2747, flipped: 43, cheaper: 20 },
  ],
  routing_pays: true,
  conclusion:
    "Routing pays here: 80 % of the strong model's gain takes 55 % of the calls (random: 80 %; APGR 0.623, 95 % interval 0.588 to 0.657).",
};

/** Three rungs, no cost known, no head with both classes: all that can be null is null. */
export const ladderEvidence: Evidence = {
  ...evidence,
  candidates: [
    { candidate: 'cheap', model: 'small', quality: 0.6, cost_usd: null },
    { candidate: 'middle', model: 'medium', quality: 0.7, cost_usd: null },
    { candidate: 'strong', model: 'large', quality: 0.774, cost_usd: null },
  ],
  rungs: [
    { candidate: 'cheap', share: 0.6, quality: 0.8, cost_usd: null },
    { candidate: 'middle', share: 0, quality: null, cost_usd: null },
    { candidate: 'strong', share: 0.4, quality: 0.7, cost_usd: null },
  ],
  pgr: null,
  apgr: null,
  apgr_interval: null,
  aiq: null,
  cpt50: null,
  cpt80: null,
  cost: null,
  mixing_hull: null,
  baselines: [fixed('always cheap', 0, CHEAP, null), fixed('always strong', 1, STRONG, null)],
  curves: [{ name: 'classifier', share_escalated: [0, 0.5, 1], quality: [CHEAP, 0.72, STRONG] }],
  heads: [
    { ...head('cheap', 0), auroc: null },
    { ...head('middle', 0.01), auroc: null },
    { ...head('strong', 0), auroc: null },
  ],
  silent_downgrades: { margin: 0.5, rate: 0, worst: [] },
  hard_cases: null,
  slices: [],
  flips: [],
  routing_pays: false,
  conclusion: 'Whether routing pays cannot be said: APGR is undefined on these cases.',
};

/** A concave road from cheap to strong. */
function bowed(c: number, bow: number): number {
  return CHEAP + (STRONG - CHEAP) * (c + bow * c * (1 - c));
}

function curve(name: string, bow: number): Curve {
  return {
    name,
    share_escalated: POINTS,
    quality: POINTS.map((c) => bowed(c, bow)),
    cost_usd: POINTS.map((c) => 0.00024 + c * 0.01016),
  };
}

function fixed(name: string, escalation_rate: number, quality: number, cost_usd: number | null) {
  return { name, escalation_rate, quality, cost_usd, apgr: null, cpt50: null, cpt80: null };
}

function ranked(name: string, quality: number, apgr: number, cpt50: number, cpt80: number) {
  return { name, escalation_rate: 0.683, quality, cost_usd: 0.00718, apgr, cpt50, cpt80 };
}

function slice(name: string, n: number, escalation_rate: number, quality_loss: number, half: number) {
  return { name, n, escalation_rate, quality_loss, low: quality_loss - half, high: quality_loss + half };
}

function head(candidate: string, bias: number): Evidence['heads'][number] {
  const bins = Array.from({ length: 10 }, (_, i) => {
    const predicted = 0.14 + 0.085 * i;
    const observed = predicted + bias + (i % 2 ? 0.013 : -0.011);
    return { n: 274, predicted, observed, low: observed - 0.062, high: Math.min(1, observed + 0.059) };
  });
  return {
    candidate,
    n: 2747,
    auroc: 0.7312,
    brier: 0.1881,
    reliability: 0.0009,
    resolution: 0.0502,
    uncertainty: 0.2374,
    log_loss: 0.5533,
    ece: 0.0211,
    bins,
  };
}
