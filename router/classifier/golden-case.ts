import type { GoldenCase } from '../artifact/index.ts';
import type { Classifier } from './onnx-classifier.ts';

const TOLERANCE = 1e-3;

/** Whether a text still has the probabilities that it had when the artifact was made. */
export async function goldenHolds(classifier: Classifier, golden: GoldenCase): Promise<boolean> {
  const probabilities = await classifier.score(golden.text);
  return golden.probabilities.every((p, rung) => Math.abs(p - probabilities[rung]!) <= TOLERANCE);
}
