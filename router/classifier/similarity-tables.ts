import { PlimsollError } from '../errors.ts';
import { decodeModel, floatValues, int8Values, type OnnxTensor, stringValues } from '../onnx/index.ts';
import type { NamedSimilarity } from './similarity.ts';

/** The names of the tables in a classifier.onnx. No node of its graph reads them: what comes of them are its inputs `features` and `vote`. */
export const SIMILARITY_TABLES = {
  components: 'similarity_components',
  means: 'similarity_means',
  featureFactors: 'similarity_feature_factors',
  centroids: 'cluster_centroids',
  points: 'neighbour_points',
  weights: 'neighbour_weights',
  labels: 'neighbour_labels',
  keys: 'neighbour_keys',
} as const;

/** What an artifact knows about texts that are alike; undefined if it needs nothing of the kind. */
export function readSimilarity(bytes: Uint8Array): NamedSimilarity | undefined {
  const { initializer } = decodeModel(bytes).graph;
  const find = (table: keyof typeof SIMILARITY_TABLES): OnnxTensor | undefined =>
    initializer.find(({ name }) => name === SIMILARITY_TABLES[table]);
  const required = (table: keyof typeof SIMILARITY_TABLES): OnnxTensor => {
    const found = find(table);
    if (found) return found;
    throw new PlimsollError(
      'invalid-artifact',
      `classifier.onnx has no "${SIMILARITY_TABLES[table]}", which belongs to its other tables: it was not made by Plimsoll.`,
    );
  };
  if (!find('components')) return undefined;
  const centroids = find('centroids');
  return {
    space: {
      components: floatValues(required('components')),
      means: floatValues(required('means')),
      featureFactors: floatValues(required('featureFactors')),
    },
    ...(centroids && { centroids: floatValues(centroids) }),
    ...(find('points') && {
      references: {
        points: int8Values(required('points')),
        weights: floatValues(required('weights')),
        labels: floatValues(required('labels')),
        keys: stringValues(required('keys')),
      },
    }),
  };
}
