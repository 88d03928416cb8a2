import type { Manifest } from '../../router/artifact/index.ts';
import { type Classifier, featureExtractor } from '../../router/classifier/index.ts';
import {
  describePopulation,
  featureNames,
  featureValues,
  type Population,
} from '../../router/monitoring/index.ts';
import { predictedLoss } from '../../router/policy/index.ts';
import { ascendingOrder } from '../../router/statistics/index.ts';

/** Requests that are looked at. */
const MOST = 4_000;

/** A request, and a hash of its text. */
export interface HashedRequest {
  readonly text: string;
  readonly copyHash: number;
}

/**
 * What the requests are like that a verdict is of: in the order of their hashes, and 4,000 of them at most. Copies of what was learned from are among them, though none is
 * judged: live requests have them too.
 */
export async function measurePopulation(
  requests: readonly HashedRequest[],
  classifier: Classifier,
  { features, classifier: { abstain } }: Manifest,
): Promise<Population> {
  const extractor = featureExtractor(features);
  const rows: Float64Array[] = [];
  for (const row of ascendingOrder(requests.map(({ copyHash }) => copyHash)).subarray(0, MOST)) {
    const { text } = requests[row]!;
    const scores = await classifier.scoreForDecision(text);
    const scored = {
      predictedLoss: typeof scores === 'string' ? null : predictedLoss(scores, 0),
      nothingSimilar: abstain === 'escalate' ? scores === 'nothing-similar' : undefined,
    };
    rows.push(featureValues(scored, extractor.extract(text)));
  }
  return describePopulation(featureNames(features), rows);
}
