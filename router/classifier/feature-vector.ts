import { PlimsollError } from '../errors.ts';
import { smallArrays } from '../small-arrays.ts';
import { STRUCTURAL_FEATURES, type StructuralFeature, structuralFeatures } from './structural-features.ts';
import { textCounts } from './text-counts.ts';

/** Text -> structural features, in a fixed order. */
export interface FeatureExtractor {
  readonly names: readonly string[];
  /** A vector of its own for every call. */
  extract(text: string): Float32Array;
}

/**
 * The extractor for the features with these names, in this order (a manifest's list; all of them where it is left out).
 * @throws PlimsollError `invalid-artifact` where this version does not know a name.
 */
export function featureExtractor(names: readonly string[] = STRUCTURAL_FEATURES): FeatureExtractor {
  const features = names.map(featureNamed);
  const vector = smallArrays(Float32Array);
  return {
    names: [...names],
    extract(text) {
      const values = vector(features.length);
      const all = structuralFeatures(textCounts(text));
      for (let i = 0; i < features.length; i++) values[i] = all[features[i]!];
      return values;
    },
  };
}

function featureNamed(name: string): StructuralFeature {
  const feature = STRUCTURAL_FEATURES.find((known) => known === name);
  if (!feature) {
    throw new PlimsollError(
      'invalid-artifact',
      `The artifact uses the structural feature "${name}", which this version of Plimsoll does not have. Retrain it, or use the version that made it.`,
    );
  }
  return feature;
}
