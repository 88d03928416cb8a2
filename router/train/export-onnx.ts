import { type PlattScaling, SIMILARITY_TABLES, SMALLEST_PROBABILITY } from '../classifier/index.ts';
import type { StaticEncoder } from '../encoders/index.ts';
import {
  ELEMENT_TYPE,
  encodeModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValueInfo,
  valueInfo,
} from '../onnx/index.ts';
import type { TrainedLearner } from './train-learner.ts';

interface Exportable extends Pick<TrainedLearner, 'heads' | 'centre' | 'platt' | 'similarity'> {
  /** The keys of the training rows, to name those that vote. */
  readonly keys?: readonly string[];
}

const OPSET = 17; // the last whose ReduceMean takes its axes as an attribute; every runtime since 2022 reads it
const IR_VERSION = 8;

/**
 * The classifier of a static encoder as ONNX, the head folded into a lexicon: mean pooling and logistic regression are
 * both linear, so each word piece's contribution to each head is one number, w . (vector - centre). Word pairs have their
 * numbers in a second table, summed and divided by the root of their count.
 * Inputs: `token_ids` int32 [n >= 1]; `pair_ids` int32 [m >= 1]; `features` float [f], memberships of clusters first if there are any; and where labelled cases vote
 * `vote` float [heads]. Outputs: `probabilities` and `logits` (before Platt), float [heads].
 */
export function exportLexicon(classifier: Exportable, encoder: StaticEncoder): Uint8Array {
  const { heads, centre } = classifier;
  const { dimension } = encoder.identity;
  const size = encoder.tokenizer.vocabularySize;
  const lexicon = new Float32Array(size * heads.length);
  heads.forEach((head, h) => {
    const direction = head.weights.slice(0, dimension);
    const shift = direction.reduce((total, weight, j) => total + weight * centre[j]!, 0);
    const projected = encoder.project(direction);
    for (let id = 0; id < size; id++) lexicon[id * heads.length + h] = projected[id]! - shift;
  });
  const pairs = weightColumns(classifier, centre.length, heads[0]!.weights.length);
  return model({
    classifier,
    dimension,
    inputs: [
      valueInfo('token_ids', ['tokens'], ELEMENT_TYPE.int32),
      valueInfo('pair_ids', ['pairs'], ELEMENT_TYPE.int32),
    ],
    initializers: [
      tensor('lexicon', [size, heads.length], lexicon),
      tensor('pair_lexicon', [pairs.length / heads.length, heads.length], pairs),
    ],
    nodes: [
      { opType: 'Gather', input: ['lexicon', 'token_ids'], output: ['pieces'] },
      meanOverRows('pieces', 'piece_mean'),
      { opType: 'Gather', input: ['pair_lexicon', 'pair_ids'], output: ['pairs'] },
      meanOverRows('pairs', 'pair_mean'),
      { opType: 'Size', input: ['pair_ids'], output: ['pair_count'] },
      {
        opType: 'Cast',
        input: ['pair_count'],
        output: ['pair_count_float'],
        attribute: [{ name: 'to', i: ELEMENT_TYPE.float, type: ATTRIBUTE_INT }],
      },
      { opType: 'Sqrt', input: ['pair_count_float'], output: ['pair_count_root'] },
      { opType: 'Mul', input: ['pair_mean', 'pair_count_root'], output: ['pair_sum'] }, // mean * sqrt(m) = sum / sqrt(m)
      { opType: 'Add', input: ['piece_mean', 'pair_sum'], output: ['meaning'] },
    ],
  });
}

/**
 * The classifier of any other encoder as ONNX: a plain linear head.
 * Inputs: `embedding` float [dimension]; `features` float [f]. Outputs as above.
 */
export function exportLinear(classifier: Exportable, dimension: number): Uint8Array {
  return model({
    classifier,
    dimension,
    inputs: [valueInfo('embedding', [dimension])],
    initializers: [
      tensor('embedding_means', [dimension], Float32Array.from(classifier.centre.subarray(0, dimension))),
      tensor(
        'embedding_weights',
        [dimension, classifier.heads.length],
        weightColumns(classifier, 0, dimension),
      ),
    ],
    nodes: [
      { opType: 'Sub', input: ['embedding', 'embedding_means'], output: ['centred_embedding'] },
      { opType: 'MatMul', input: ['centred_embedding', 'embedding_weights'], output: ['meaning'] },
    ],
  });
}

/** The same model with other Platt parameters: what recalibrating changes. */
export function plattTensors(platt: readonly PlattScaling[]): OnnxTensor[] {
  const column = (name: string, values: readonly number[]) =>
    tensor(name, [values.length], Float32Array.from(values));
  return [
    column(
      'platt_slope',
      platt.map((p) => p.slope),
    ),
    column(
      'platt_offset',
      platt.map((p) => p.offset),
    ),
  ];
}

const ATTRIBUTE_INT = 2;
const ATTRIBUTE_INTS = 7;

function meanOverRows(input: string, output: string): OnnxNode {
  const attribute = [
    { name: 'axes', ints: [0], type: ATTRIBUTE_INTS },
    { name: 'keepdims', i: 0, type: ATTRIBUTE_INT },
  ];
  return { opType: 'ReduceMean', input: [input], output: [output], attribute };
}

interface Parts {
  readonly classifier: Exportable;
  readonly dimension: number;
  readonly inputs: readonly OnnxValueInfo[];
  readonly initializers: readonly OnnxTensor[];
  /** From the inputs to `meaning`, float [heads]. */
  readonly nodes: readonly OnnxNode[];
}

/** What both graphs share: the structural part, the intercept, the vote, Platt scaling, the sigmoid. */
function model({ classifier, dimension, inputs, initializers, nodes }: Parts): Uint8Array {
  const { heads, centre, platt, similarity } = classifier;
  const votes = similarity?.references !== undefined;
  const features = centre.length - dimension;
  return encodeModel({
    irVersion: IR_VERSION,
    producerName: 'plimsoll',
    opsetImport: [{ domain: '', version: OPSET }],
    graph: {
      name: 'plimsoll-classifier',
      input: [
        ...inputs,
        valueInfo('features', [features]),
        ...(votes ? [valueInfo('vote', [heads.length])] : []),
      ],
      output: [valueInfo('probabilities', [heads.length]), valueInfo('logits', [heads.length])],
      initializer: [
        ...initializers,
        tensor('feature_means', [features], Float32Array.from(centre.subarray(dimension))),
        tensor(
          'feature_weights',
          [features, heads.length],
          weightColumns(classifier, dimension, centre.length),
        ),
        tensor(
          'intercept',
          [heads.length],
          Float32Array.from(heads, (head) => head.intercept),
        ),
        ...plattTensors(platt),
        ...(votes ? BLEND_CONSTANTS : []),
        ...similarityTensors(classifier),
      ],
      node: [
        ...nodes,
        { opType: 'Sub', input: ['features', 'feature_means'], output: ['centred_features'] },
        { opType: 'MatMul', input: ['centred_features', 'feature_weights'], output: ['structure'] },
        { opType: 'Add', input: ['meaning', 'structure'], output: ['sum'] },
        { opType: 'Add', input: ['sum', 'intercept'], output: [votes ? 'own_logits' : 'logits'] },
        ...(votes ? BLEND : []),
        { opType: 'Mul', input: ['logits', 'platt_slope'], output: ['scaled'] },
        { opType: 'Add', input: ['scaled', 'platt_offset'], output: ['calibrated_logits'] },
        { opType: 'Sigmoid', input: ['calibrated_logits'], output: ['probabilities'] },
      ],
    },
  });
}

/** blendedLogit of router/classifier. */
const BLEND: readonly OnnxNode[] = [
  { opType: 'Sigmoid', input: ['own_logits'], output: ['own_probabilities'] },
  { opType: 'Add', input: ['own_probabilities', 'vote'], output: ['both'] },
  { opType: 'Mul', input: ['both', 'half'], output: ['mean'] },
  { opType: 'Clip', input: ['mean', 'smallest', 'largest'], output: ['blend'] },
  { opType: 'Sub', input: ['one', 'blend'], output: ['rest'] },
  { opType: 'Div', input: ['blend', 'rest'], output: ['odds'] },
  { opType: 'Log', input: ['odds'], output: ['logits'] },
];

const BLEND_CONSTANTS: readonly OnnxTensor[] = [
  tensor('half', [], Float32Array.of(0.5)),
  tensor('one', [], Float32Array.of(1)),
  tensor('smallest', [], Float32Array.of(SMALLEST_PROBABILITY)),
  tensor('largest', [], Float32Array.of(1 - SMALLEST_PROBABILITY)),
];

/** What the inputs `features` and `vote` are computed from. No node reads it: it lies in the file so that one hash binds all. */
function similarityTensors({ similarity, keys = [], heads }: Exportable): OnnxTensor[] {
  if (similarity === undefined) return [];
  const { space, centroids, references } = similarity;
  const width = space.means.length - space.featureFactors.length;
  const count = space.components.length / width;
  const dimensions = count + space.featureFactors.length;
  const names = SIMILARITY_TABLES;
  const tables = [
    tensor(names.components, [count, width], space.components),
    tensor(names.means, [space.means.length], space.means),
    tensor(names.featureFactors, [space.featureFactors.length], space.featureFactors),
    ...(centroids ? [tensor(names.centroids, [centroids.length / dimensions, dimensions], centroids)] : []),
  ];
  if (references === undefined) return tables;
  const { points, weights, labels, rows } = references;
  return [
    ...tables,
    {
      name: names.points,
      dims: [weights.length, dimensions],
      dataType: ELEMENT_TYPE.int8,
      rawData: new Uint8Array(points.buffer, points.byteOffset, points.byteLength),
    },
    tensor(names.weights, [weights.length], weights),
    tensor(names.labels, [weights.length, heads.length], labels),
    {
      name: names.keys,
      dims: [weights.length],
      dataType: ELEMENT_TYPE.string,
      stringData: Array.from(rows, (row) => Buffer.from(keys[row] ?? '', 'utf8')),
    },
  ];
}

/** Rows `from` to `to` of the heads' weights, one column a head. */
function weightColumns({ heads }: Exportable, from: number, to: number): Float32Array {
  const columns = new Float32Array((to - from) * heads.length);
  for (let row = from; row < to; row++) {
    heads.forEach((head, h) => {
      columns[(row - from) * heads.length + h] = head.weights[row]!;
    });
  }
  return columns;
}

function tensor(name: string, dims: readonly number[], values: Float32Array): OnnxTensor {
  const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength); // ONNX is little-endian, as we are
  return { name, dims, dataType: ELEMENT_TYPE.float, rawData };
}
