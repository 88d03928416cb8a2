import type { Manifest } from '../../router/artifact/index.ts';
import { featureExtractor } from '../../router/classifier/index.ts';
import {
  describePopulation,
  featureNames,
  featureValues,
  type Population,
} from '../../router/monitoring/index.ts';
import { predictedLoss } from '../../router/policy/index.ts';
import type { Case } from '../cases/index.ts';
import type { Subject } from './subject.ts';

/** Held-out cases that are looked at. */
const MOST = 4_000;

/** What the requests are like that a verdict is of: the first held-out cases in the order of the bets, which hashes decide. */
export function measurePopulation(
  { heldOut: { probabilities, traits }, bets }: Pick<Subject, 'heldOut' | 'bets'>,
  heldOut: readonly Case[],
  { features }: Manifest,
): Population {
  const extractor = featureExtractor(features);
  const rows = Array.from(bets.rows).slice(0, MOST);
  return describePopulation(
    featureNames(features),
    rows.map((row) => {
      const loss = predictedLoss(
        probabilities.map((column) => column[row]!),
        0,
      );
      return featureValues(traits[row]!.unscored ? null : loss, extractor.extract(heldOut[row]!.text));
    }),
  );
}
