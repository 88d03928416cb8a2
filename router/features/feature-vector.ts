import { PlimsollError } from '../errors.ts';
import { STRUCTURAL_FEATURES, type StructuralFeature, textShape } from './structural-features.ts';

/** Text -> structural features, in a fixed order. */
export interface FeatureExtractor {
  readonly names: readonly string[];
  extract(text: string): Float32Array;
}

/**
 * The extractor for the features with these names, in this order (a manifest's list; all of them where it is left out).
 * @throws PlimsollError `invalid-artifact` where this version does not know a name.
 */
export function featureExtractor(
  names: readonly string[] = STRUCTURAL_FEATURES.map((f) => f.name),
): FeatureExtractor {
  const features = names.map(featureNamed);
  return {
    names: [...names],
    extract(text) {
      const shape = textShape(text);
      const values = new Float32Array(features.length);
      for (let i = 0; i < features.length; i++) values[i] = features[i]!.of(shape);
      return values;
    },
  };
}

function featureNamed(name: string): StructuralFeature {
  const feature = STRUCTURAL_FEATURES.find((known) => known.name === name);
  if (!feature) {
    throw new PlimsollError(
      'invalid-artifact',
      `The artifact uses the structural feature "${name}", which this version of Plimsoll does not have. Retrain it, or use the version that made it.`,
    );
  }
  return feature;
}
