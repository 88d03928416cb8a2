import { describe, expect, it } from 'vitest';
import { createOnnxClassifier, watchedClassifier } from '../../router/classifier/classifier.ts';
import { calibrated } from '../../router/classifier/folded-heads.ts';
import { featureExtractor } from '../../router/classifier/structural-features.ts';
import type { Encoder } from '../../router/encoders/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { exportLinear } from '../../router/train/index.ts';

/** Embeds a text as its length and a constant; `closed` counts calls of close. */
function lengthEncoder(embed = (text: string) => Float32Array.of(text.length, 1)) {
  const state = { closed: 0 };
  const encoder: Encoder = {
    identity: { id: 'length', sha256: '0'.repeat(64), pooling: 'mean', dimension: 2, maxTokens: null },
    embed: async (text) => embed(text),
    close: async () => {
      state.closed++;
    },
  };
  return { encoder, state };
}

const extractor = featureExtractor(['digit_share']);

/** Two heads by hand: logits 1 + 0.5 (length - 4) + 2 (digit share - 0.5), and -1 whatever the text. */
const bytes = exportLinear(
  {
    centre: Float64Array.of(4, 1, 0.5),
    heads: [
      { weights: Float64Array.of(0.5, 7, 2), intercept: 1 },
      { weights: Float64Array.of(0, 0, 0), intercept: -1 },
    ],
    platt: [
      { slope: 2, offset: 0.25 },
      { slope: 1, offset: 0 },
    ],
  },
  2,
);

describe('createOnnxClassifier', () => {
  it('computes heads that were written by hand', async () => {
    const classifier = await createOnnxClassifier(bytes, { kind: 'linear', ...lengthEncoder() }, extractor);
    const [first, second] = await classifier.score('12ab56');
    expect(first).toBeCloseTo(1 / (1 + Math.exp(-(2 * (1 + 0.5 * 2 + 2 * (4 / 6 - 0.5)) + 0.25))), 6);
    expect(second).toBeCloseTo(1 / (1 + Math.exp(1)), 6);
    await classifier.close();
  });

  it('gives the logits from before Platt scaling', async () => {
    const classifier = await createOnnxClassifier(bytes, { kind: 'linear', ...lengthEncoder() }, extractor);
    const [first, second] = await classifier.logits('12ab56');
    expect(first).toBeCloseTo(1 + 0.5 * 2 + 2 * (4 / 6 - 0.5), 5);
    expect(second).toBeCloseTo(-1, 6);
    await classifier.close();
  });

  it('rejects a score that is no number', async () => {
    const { encoder } = lengthEncoder(() => Float32Array.of(Number.NaN, 1));
    const classifier = await createOnnxClassifier(bytes, { kind: 'linear', encoder }, extractor);
    await expect(classifier.score('text')).rejects.toMatchObject({ code: 'internal' });
    await classifier.close();
  });

  it('closes its encoder with it', async () => {
    const { encoder, state } = lengthEncoder();
    const classifier = await createOnnxClassifier(bytes, { kind: 'linear', encoder }, extractor);
    await classifier.close();
    expect(state.closed).toBe(1);
  });
});

describe('calibrated', () => {
  it('is the sigmoid of slope times logit plus offset', () => {
    expect(calibrated(0, { slope: 3, offset: 0 })).toBe(0.5);
    expect(calibrated(2, { slope: 0.5, offset: -1 })).toBe(0.5);
    expect(calibrated(1, { slope: 1, offset: Math.log(3) - 1 })).toBeCloseTo(0.75, 12);
    expect([calibrated(-1e6, { slope: 1, offset: 0 }), calibrated(1e6, { slope: 1, offset: 0 })]).toEqual([
      0, 1,
    ]);
  });
});

describe('watchedClassifier', () => {
  it('passes scores on, and counts failures in their place', async () => {
    const answers: (() => Float32Array)[] = [
      () => Float32Array.of(0.25, 0.5),
      () => {
        throw new PlimsollError('internal', 'The classifier gave a score that is no probability.');
      },
      () => {
        throw new TypeError('cannot read "the secret prompt"');
      },
    ];
    const answer = async () => answers.shift()!();
    const watched = watchedClassifier({
      scoreForDecision: async (text) => (text === 'ไทย' ? 'unreadable' : answer()),
      score: answer,
      logits: answer,
      close: async () => {},
    });
    expect(await watched.score('a')).toEqual(Float32Array.of(0.25, 0.5));
    expect(watched.failures()).toEqual({ count: 0, last: null });
    expect(await watched.score('b')).toBe('classifier-failed');
    expect(watched.failures()).toMatchObject({
      count: 1,
      last: { message: expect.stringContaining('no probability') },
    });
    expect(await watched.score('c')).toBe('classifier-failed');
    expect(await watched.score('ไทย')).toBe('unreadable');
    expect(watched.failures()).toMatchObject({ count: 2, last: { message: 'TypeError' } });
  });
});
