import { expect } from 'vitest';
import { featureExtractor } from '../../router/classifier/structural-features.ts';
import { referenceFeatures } from './reference-features.ts';

const extractor = featureExtractor();

function bits(values: Float32Array): readonly number[] {
  return Array.from(new Uint32Array(values.slice().buffer));
}

/** Of all structural features and their reference formulas. */
export function expectSameBits(text: string): void {
  expect(bits(extractor.extract(text)), JSON.stringify(text.slice(0, 300))).toEqual(
    bits(referenceFeatures(text)),
  );
}
