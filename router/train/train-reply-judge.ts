import { columnRanges, judgeColumns, type ReplyJudge, replyLoss } from '../cascade/index.ts';
import { calibrated, type PlattScaling } from '../classifier/index.ts';
import type { LinearHead } from './logistic-regression.ts';
import { type TrainedClassifier, trainClassifier } from './train-classifier.ts';

/** Replies of the cheap model whose quality is known, one a row. */
export interface JudgedReplies {
  /** The classifier's logits for the prompt, by fits that had not seen the row: `[candidate][row]`. */
  readonly promptLogits: readonly Float64Array[];
  /** What is known about the reply (replyColumns): `[row]`. */
  readonly replies: readonly Float64Array[];
  /** 0..1, shape [rows]. */
  readonly cheapQuality: Float64Array;
  readonly strongQuality: Float64Array;
  /** Fold of each row, from 0. */
  readonly folds: Int32Array;
  /** How much each row counts; 1 if left out. */
  readonly sampleWeights?: Float64Array;
}

/** A judge, and what it makes of the rows that it learned from. */
export interface TrainedReplyJudge {
  readonly judge: ReplyJudge;
  /** The predicted loss of each row, by fits that had not seen it. Shape [rows] */
  readonly heldOutLosses: Float64Array;
}

/**
 * Learns the judge: the classifier's own regression, standardisation, choice of lambda and Platt scaling, over other columns. Each head chooses a lambda of
 * its own: what helps to know whether the cheap reply is good may be noise for the other two.
 * @param models names of the candidates, for the columns of their logits
 * @throws PlimsollError `insufficient-data` if all replies of one model are good, or all bad
 */
export function trainReplyJudge(
  { promptLogits, replies, cheapQuality, strongQuality, folds, sampleWeights }: JudgedReplies,
  models: readonly string[],
): TrainedReplyJudge {
  const columns = judgeColumns(models);
  const rows = replies.map((reply, row) => [...promptLogits.map((logits) => logits[row]!), ...reply]);
  const values = new Float32Array(replies.length * columns.length);
  rows.forEach((row, at) => {
    values.set(row, at * columns.length);
  });
  const matrix = { rows: replies.length, columns: columns.length, values };
  const learn = (labels: Float64Array) =>
    trainClassifier({ matrix, labels: [labels], folds, ...(sampleWeights && { sampleWeights }) });
  const [cheap, strong] = [learn(cheapQuality), learn(strongQuality)];
  const better = learn(strongQuality.map((quality, row) => (1 + quality - cheapQuality[row]!) / 2));
  const ranges = columnRanges(rows.filter((_, row) => sampleWeights?.[row] !== 0));
  const heldOut = { cheap: heldOutOf(cheap), strong: heldOutOf(strong), better: heldOutOf(better) };
  return {
    judge: {
      columns,
      ranges,
      cheap: foldedHead(cheap),
      strong: foldedHead(strong),
      better: foldedHead(better),
    },
    heldOutLosses: heldOut.cheap.map((probability, row) =>
      replyLoss({ cheap: probability, strong: heldOut.strong[row]!, better: heldOut.better[row]! }),
    ),
  };
}

function heldOutOf({ heldOutLogits, platt }: TrainedClassifier): Float64Array {
  return heldOutLogits[0]!.map((logit) => calibrated(logit, platt[0]!));
}

/** Platt scaling and centre in the weights: logit = intercept + weights . x, x being raw. */
function foldedHead({ heads, centre, platt }: TrainedClassifier): ReplyJudge['cheap'] {
  const [{ weights, intercept }] = heads as [LinearHead];
  const [{ slope, offset }] = platt as [PlattScaling];
  const shift = weights.reduce((total, weight, j) => total + weight * centre[j]!, 0);
  return {
    weights: Array.from(weights, (weight) => slope * weight),
    intercept: slope * (intercept - shift) + offset,
  };
}
