import type { Condition } from '../../router/artifact/index.ts';
import type { Evidence } from '../../router/verdict-report/index.ts';
import { choiceSentence, type Paying, underVerdict } from './paying-sentence.ts';

/**
 * The evidence of decisions of which nothing is known but the model that was chosen: without what only scores have, which are ranking,
 * calibration and the curve over thresholds.
 */
export function decisionEvidence(evidence: Evidence, conditions: readonly Condition[]): Evidence {
  const pays = paying(evidence, conditions);
  return {
    ...evidence,
    apgr: null,
    apgr_interval: null,
    aiq: null,
    cpt50: null,
    cpt80: null,
    silent_downgrades: {
      ...evidence.silent_downgrades,
      worst: evidence.silent_downgrades.worst.map((one) => ({ ...one, predicted_loss: null })),
    },
    curves: evidence.curves.filter(({ low }) => low === undefined), // the classifier's has a band
    heads: [],
    score_histogram: { edges: [], strong_better: [], cheap_as_good: [] },
    routing_pays: pays.routing_pays,
    conclusion: pays.conclusion,
  };
}

/** With known costs the sentence is already about the ladder's best mix; without, about a random choice, since there is no curve. */
function paying(evidence: Evidence, conditions: readonly Condition[]): Paying {
  const { quality, baselines, candidates, mixing_hull: hull } = evidence;
  if (candidates.length > 2 && hull !== null) return evidence;
  const random = baselines.find(({ name }) => name === 'random')!;
  const condition = conditions.find(({ name }) => name === 'beats-random');
  const sentence = choiceSentence({
    // both are known: a plan of labels rests on the scores of a classifier
    excess: condition?.value ?? quality.routed! - random.quality!,
    ...(condition?.bounds.lower != null && {
      lower: condition.bounds.lower,
      confidence: condition.confidence,
    }),
  });
  return { ...sentence, conclusion: underVerdict(sentence, conditions) };
}
