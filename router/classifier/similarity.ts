/**
 * A space in which texts that ask for alike things lie close together: the principal components of their embeddings, each divided by the fourth root of its
 * variance so that the first few do not drown the others, and their standardised structural features. A text is a point of unit length there, and the
 * product of two points is their cosine similarity.
 */
export interface SimilaritySpace {
  /** Scaled, one after the other, each as long as an embedding. */
  readonly components: Float32Array;
  /** Mean of each embedding column, then of each structural feature. */
  readonly means: Float32Array;
  /** One a structural feature. */
  readonly featureFactors: Float32Array;
}

/** Labelled cases, or means of neighbouring ones, that vote on a text. */
export interface References {
  /** Points in 8 bits (quantised), one after the other. */
  readonly points: Int8Array;
  /** How many cases each counts as, above 0; a case may count in parts in several. Shape [references] */
  readonly weights: Float32Array;
  /** Mean quality of its cases, 0..1. Shape [references, heads] */
  readonly labels: Float32Array;
}

/** With the key of the question that is nearest to each: for a case its own. Shape [references] */
export interface NamedReferences extends References {
  readonly keys: readonly string[];
}

/** What a classifier knows about texts that are alike. */
export interface Similarity {
  readonly space: SimilaritySpace;
  /** Of unit length, one after the other; left out if memberships are no features. */
  readonly centroids?: Float32Array;
  /** Left out if no cases vote. */
  readonly references?: References;
}

/** As an artifact has it. */
export interface NamedSimilarity extends Similarity {
  readonly references?: NamedReferences;
}

/** What similarity adds to the inputs of a classifier.onnx. */
export interface SimilarityInputs {
  /** Memberships, if there are clusters, then the structural features. */
  readonly features: Float32Array;
  /** Mean quality of the nearest cases, one a head. */
  readonly vote?: Float32Array;
  /** Cosine similarity of the nearest one, -1..1. Left out if no cases vote. */
  readonly similarity?: number;
}

/** The inputs of a text, from its embedding and its structural features. */
export type SimilarityInputsOf = (embedding: Float32Array, features: Float32Array) => SimilarityInputs;

/** Prepares the tables for many texts. */
export function createSimilarityInputs({ space, centroids, references }: Similarity): SimilarityInputsOf {
  const vote = references && createVote(references);
  return (embedding, features) => {
    const point = pointOf(space, embedding, features);
    return {
      features: centroids ? joined(memberships(centroids, point), features) : features,
      ...vote?.(point),
    };
  };
}

function joined(first: Float32Array, second: Float32Array): Float32Array {
  const both = new Float32Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/** Where a text lies; zeros for the mean of all texts. Shape [components + features] */
export function pointOf(
  { components, means, featureFactors }: SimilaritySpace,
  embedding: Float32Array,
  features: Float32Array,
): Float32Array {
  const width = embedding.length;
  const count = components.length / width;
  const point = new Float32Array(count + features.length);
  const centred = embedding.map((value, j) => value - means[j]!);
  for (let component = 0; component < count; component++) {
    point[component] = product(components, component * width, centred);
  }
  for (let i = 0; i < features.length; i++) {
    point[count + i] = (features[i]! - means[width + i]!) * featureFactors[i]!;
  }
  return toUnitLength(point);
}

/** In place. A point of zeros stays what it is. */
export function toUnitLength(point: Float32Array): Float32Array {
  const squares = product(point, 0, point);
  if (squares > 0) {
    const inverse = 1 / Math.sqrt(squares);
    for (let j = 0; j < point.length; j++) point[j]! *= inverse;
  }
  return point;
}

/** The product of a vector with the row of a table that begins at `from`. Four sums at a time let the processor overlap the additions. */
export function product(table: Float32Array, from: number, vector: Float32Array): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let j = 0;
  for (; j + 3 < vector.length; j += 4) {
    a += table[from + j]! * vector[j]!;
    b += table[from + j + 1]! * vector[j + 1]!;
    c += table[from + j + 2]! * vector[j + 2]!;
    d += table[from + j + 3]! * vector[j + 3]!;
  }
  for (; j < vector.length; j++) a += table[from + j]! * vector[j]!;
  return a + b + (c + d);
}

/** Sharpens similarities, so that a text belongs to a few of the 64 clusters rather than to one. */
const TEMPERATURE = 0.1;

/** Soft membership of each cluster: the softmax of the similarities to their centroids. Sums to 1. */
function memberships(centroids: Float32Array, point: Float32Array): Float32Array {
  const shares = new Float32Array(centroids.length / point.length);
  let total = 0;
  for (let cluster = 0; cluster < shares.length; cluster++) {
    const share = Math.exp((product(centroids, cluster * point.length, point) - 1) / TEMPERATURE);
    shares[cluster] = share;
    total += share;
  }
  for (let cluster = 0; cluster < shares.length; cluster++) shares[cluster]! /= total;
  return shares;
}

/** How many cases vote. 30 are worse nearly everywhere, 300 no better (docs/EXPERIMENTS.md). */
const VOTERS = 100;

/** References whose similarity falls into one of this many steps count alike, which saves sorting them. */
const STEPS = 2048;

/** What 1 is in 8 bits. */
const ONE = 127;

/** A point in 8 bits, which moves a similarity by less than a thousandth. */
export function quantised(point: Float32Array): Int8Array {
  return Int8Array.from(point, (value) => Math.round(value * ONE));
}

/** What the cases nearest to a point say about it. */
export type Vote = (point: Float32Array) => Required<Pick<SimilarityInputs, 'vote' | 'similarity'>>;

/**
 * A vote of the 100 nearest cases: references are counted from the most similar on until they stand for so many. Those that share the last
 * step of similarity count in part.
 */
export function createVote({ points, weights, labels }: References): Vote {
  const heads = labels.length / weights.length;
  const packed = packedPoints(points, weights.length);
  return (point) => {
    const steps = stepsOf(packed, quantised(point), weights.length);
    const { last, share, mass } = lastStep(steps, weights);
    const sums = new Float64Array(heads);
    let nearest = 0;
    let similarity = -1;
    for (let reference = 0; reference < weights.length; reference++) {
      const step = steps[reference]!;
      if (step < last) continue;
      if (step >= nearest) {
        const cosine = cosineTo(points, reference, point);
        similarity = step > nearest ? cosine : Math.max(similarity, cosine);
        nearest = step;
      }
      const weight = weights[reference]! * (step === last ? share : 1);
      for (let head = 0; head < heads; head++) sums[head]! += weight * labels[reference * heads + head]!;
    }
    return { vote: Float32Array.from(sums, (sum) => Math.min(1, sum / mass)), similarity };
  };
}

/** The similarity of a reference to a point of unit length, -1..1; 0 for a reference of zeros. */
function cosineTo(points: Int8Array, reference: number, point: Float32Array): number {
  const from = reference * point.length;
  let sum = 0;
  let squares = 0;
  for (let j = 0; j < point.length; j++) {
    const value = points[from + j]!;
    sum += value * point[j]!;
    squares += value * value;
  }
  return squares === 0 ? 0 : Math.max(-1, Math.min(1, sum / Math.sqrt(squares)));
}

/** The step that the last voters are in, the share of its cases that vote, and how many cases vote in all. */
function lastStep(steps: Uint16Array, weights: Float32Array) {
  const massOf = new Float64Array(STEPS);
  for (let reference = 0; reference < weights.length; reference++) {
    massOf[steps[reference]!]! += weights[reference]!;
  }
  let before = 0;
  for (let last = STEPS - 1; last > 0; last--) {
    const here = massOf[last]!;
    if (before + here >= VOTERS) return { last, share: (VOTERS - before) / here, mass: VOTERS };
    before += here;
  }
  return { last: 0, share: 1, mass: before + massOf[0]! };
}

/** Products of quantised points are whole numbers well within half of this to either side. */
const PLACE = 2 ** 16;
const PLACES = 3;

/**
 * Three references in each number, as digits to the base 2^16: one product then gives three, exactly, since doubles hold whole numbers up
 * to 2^53. Shape [references / 3, dimensions]
 */
function packedPoints(points: Int8Array, count: number): Float64Array {
  const width = points.length / count;
  const packed = new Float64Array(Math.ceil(count / PLACES) * width);
  for (let reference = 0, at = 0; reference < count; reference++) {
    const place = PLACE ** (reference % PLACES);
    const from = Math.floor(reference / PLACES) * width;
    for (let j = 0; j < width; j++, at++) packed[from + j]! += place * points[at]!;
  }
  return packed;
}

/** Rounding to 8 bits may make a point this much longer than 1. */
const LONGEST = 1.05;

/** The step of similarity of each reference, 0 for the least similar. Shape [references], and up to two more */
function stepsOf(packed: Float64Array, point: Int8Array, count: number): Uint16Array {
  const steps = new Uint16Array(count + PLACES);
  const own = Float64Array.from(point);
  const width = own.length;
  const length = Math.sqrt(own.reduce((sum, value) => sum + value * value, 0));
  const perUnit = STEPS / 2 / Math.max(1, length * ONE * LONGEST);
  for (let reference = 0, at = 0; reference < count; reference += PLACES) {
    let even = 0;
    let odd = 0;
    const end = at + width;
    for (let j = 0; at + 1 < end; j += 2, at += 2) {
      even += own[j]! * packed[at]!;
      odd += own[j + 1]! * packed[at + 1]!;
    }
    for (; at < end; at++) even += own[width - 1]! * packed[at]!;
    const sum = even + odd;
    const third = Math.round(sum / PLACE ** 2);
    const rest = sum - third * PLACE ** 2;
    const second = Math.round(rest / PLACE);
    steps[reference] = STEPS / 2 + (rest - second * PLACE) * perUnit;
    steps[reference + 1] = STEPS / 2 + second * perUnit;
    steps[reference + 2] = STEPS / 2 + third * perUnit;
  }
  return steps;
}

/** Keeps the logit of a mean finite, in single precision too. */
export const SMALLEST_PROBABILITY = 1e-6;

/** Labelled cases near a text: one, or several that vote as one. */
export interface NearCases {
  /** The id of the question; for several the one nearest to their mean. */
  readonly key: string;
  /** How many cases these count as. */
  readonly count: number;
  /** Cosine, -1..1. */
  readonly similarity: number;
  /** Their mean quality, one a head. */
  readonly quality: readonly number[];
}

/** The references most similar to a point, nearest first, each key once. */
export function nearestCases(
  { points, weights, labels, keys }: NamedReferences,
  point: Float32Array,
  count: number,
): NearCases[] {
  const heads = labels.length / weights.length;
  const similarities = Float64Array.from(weights, (_, reference) => cosineTo(points, reference, point));
  const named = new Set<string>();
  return Array.from(weights.keys())
    .sort((a, b) => similarities[b]! - similarities[a]!)
    .filter((reference) => {
      const key = keys[reference]!;
      if (named.size === count || named.has(key)) return false;
      named.add(key);
      return true;
    })
    .map((reference) => ({
      key: keys[reference]!,
      count: weights[reference]!,
      similarity: similarities[reference]!,
      quality: Array.from(labels.subarray(reference * heads, (reference + 1) * heads)),
    }));
}

/** The plain mean of a head's probability and a vote, as a logit. */
export function blendedLogit(logit: number, vote: number): number {
  const mean = (1 / (1 + Math.exp(-logit)) + vote) / 2;
  const kept = Math.max(SMALLEST_PROBABILITY, Math.min(1 - SMALLEST_PROBABILITY, mean));
  return Math.log(kept / (1 - kept));
}
