import { PlimsollError } from '../errors.ts';
import { decodeModel, floatValues } from '../onnx/index.ts';
import { blendedLogit } from './similarity.ts';

/** Calibrated probability = sigmoid(slope * logit + offset); one pair a head (Platt 1999). */
export interface PlattScaling {
  readonly slope: number;
  readonly offset: number;
}

export function calibrated(logit: number, { slope, offset }: PlattScaling): number {
  return 1 / (1 + Math.exp(-(slope * logit + offset)));
}

/** The inputs of the graph, as `exportLexicon` names them. */
interface HeadInputs {
  /** Ids of word pieces, at least one. */
  readonly ids: Int32Array;
  /** Buckets of word pairs, at least one. */
  readonly pairs: Int32Array;
  readonly features: Float32Array;
  /** Vote of the nearest labelled cases, one number a head; only for a graph that takes it. */
  readonly vote?: Float32Array;
}

/** The tables of a folded classifier.onnx. Reading them costs about as much as loading the file. */
export interface FoldedHeads {
  /** What shows whether a graph computes the same: the rows that weigh most, and features that are all different. */
  readonly probe: HeadInputs;
  /**
   * Before Platt scaling, one a head. In double precision, so that they are the same on every processor.
   */
  logits(inputs: HeadInputs): Float32Array;
  /** After Platt scaling, each in 0..1. */
  probabilities(logits: Float32Array): Float32Array;
}

/** A weight of a classifier.onnx by its name. @throws PlimsollError `invalid-artifact` if there is none */
export function readWeights(bytes: Uint8Array): (name: string) => Float32Array {
  const { initializer } = decodeModel(bytes).graph;
  return (name) => {
    const tensor = initializer.find((one) => one.name === name);
    if (tensor) return floatValues(tensor);
    throw new PlimsollError(
      'invalid-artifact',
      `classifier.onnx has no "${name}": it was not made by Plimsoll.`,
    );
  };
}

/**
 * The sum that the graph of `exportLexicon` computes, from its own tables:
 *
 *     logit = intercept + mean of the pieces + sum of the pairs / sqrt(m) + (features - means) . weights
 *
 * and where labelled cases vote, the logit of the mean of its probability and the vote.
 * @param votes whether labelled cases vote
 * @throws PlimsollError `invalid-artifact` if a table is missing
 */
export function foldedHeads(bytes: Uint8Array, votes: boolean): FoldedHeads {
  const weights = readWeights(bytes);
  const [lexicon, pairLexicon, intercept] = [
    weights('lexicon'),
    weights('pair_lexicon'),
    weights('intercept'),
  ];
  const [means, featureWeights] = [weights('feature_means'), weights('feature_weights')];
  const [slope, offset] = [weights('platt_slope'), weights('platt_offset')];
  const heads = intercept.length;
  const platt = Array.from(slope, (value, head) => ({ slope: value, offset: offset[head]! }));

  /** Head by head: sums in registers are faster than sums of all heads in memory, and after the first head the rows are in the cache. */
  function logits({ ids, pairs, features, vote }: HeadInputs): Float32Array {
    const values = new Float32Array(heads);
    for (let head = 0; head < heads; head++) {
      const piece = sumOf(lexicon, ids, head, heads) / ids.length;
      const pair = sumOf(pairLexicon, pairs, head, heads) / Math.sqrt(pairs.length);
      let structure = 0;
      for (let i = 0; i < means.length; i++) {
        structure += (features[i]! - means[i]!) * featureWeights[i * heads + head]!;
      }
      const logit = intercept[head]! + piece + pair + structure;
      values[head] = vote ? blendedLogit(logit, vote[head]!) : logit;
    }
    return values;
  }

  function probabilities(logits: Float32Array): Float32Array {
    const values = new Float32Array(heads);
    for (let head = 0; head < heads; head++) values[head] = calibrated(logits[head]!, platt[head]!);
    return values;
  }

  return {
    probe: {
      ids: Int32Array.of(heaviestRow(lexicon, heads), 0, 1),
      pairs: Int32Array.of(heaviestRow(pairLexicon, heads), 0, 1),
      features: Float32Array.from(means, (_, i) => 1 / (i + 1)),
      ...(votes && { vote: new Float32Array(heads).fill(0.5) }),
    },
    logits,
    probabilities,
  };
}

function sumOf(table: Float32Array, rows: Int32Array, column: number, columns: number): number {
  let sum = 0;
  for (let i = 0; i < rows.length; i++) sum += table[rows[i]! * columns + column]!;
  return sum;
}

function heaviestRow(table: Float32Array, columns: number): number {
  let heaviest = 0;
  for (let at = 0; at < table.length; at++) {
    if (Math.abs(table[at]!) > Math.abs(table[heaviest]!)) heaviest = at;
  }
  return Math.floor(heaviest / columns);
}
