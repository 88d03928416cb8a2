import { beforeAll, describe, expect, it } from 'vitest';
import type { Classifier } from '../../router/classifier/classifier.ts';
import { nearestWords } from '../../router/classifier/contributions.ts';
import {
  type CandidateExplanation,
  createExplainer,
  type Explainer,
} from '../../router/classifier/explain.ts';
import { createStaticEncoder } from '../../router/encoders/index.ts';
import { decodeModel, encodeModel } from '../../router/onnx/index.ts';
import { itLong } from '../helpers/long-run.ts';
import {
  type EverydayClassifier,
  edgeTexts,
  everydayClassifier,
  everydayTexts,
  extractor,
  HEADS,
  unfoldedScores,
} from '../onnx/everyday-classifier.ts';
import { sigmoid } from '../train/made-up-rows.ts';

const texts = [...edgeTexts, ...everydayTexts.slice(0, 150)];

describe.each([
  ['lexicon', 'lr'],
  ['linear', 'lr'],
  ['lexicon', 'lr+clusters+knn'],
  ['linear', 'lr+knn'],
] as const)('the explanation of a %s classifier of %s', (kind, learner) => {
  let made: EverydayClassifier;
  let explain: Explainer;
  let classifier: Classifier;
  beforeAll(async () => {
    made = await everydayClassifier(kind, learner);
    explain = createExplainer(made.bytes, inputOf(made), extractor);
    classifier = await made.open();
  });

  it('sums to the logit: intercept and every contribution', async () => {
    for (const text of texts) {
      const explained = await explain(text);
      expect(explained).toHaveLength(HEADS);
      for (const one of explained) expect(Math.abs(sumOf(one) - one.logit)).toBeLessThan(1e-5);
    }
  });

  it('explains the very score: sigmoid(logit) is what the graph says', async () => {
    for (const text of texts) {
      const scores = await classifier.score(text);
      const explained = await explain(text);
      explained.forEach(({ logit }, h) => {
        expect(Math.abs(sigmoid(logit) - scores[h]!)).toBeLessThan(1e-5);
      });
    }
  });

  it('has the calibrated logit of the average training text as its intercept', async () => {
    const { heads, platt } = made.trained;
    (await explain('any')).forEach(({ intercept }, h) => {
      expect(intercept).toBeCloseTo(platt[h]!.slope * heads[h]!.intercept + platt[h]!.offset, 5);
    });
  });

  it('says of each structural feature its value and the weight times its departure from the mean', async () => {
    const text = texts[40]!;
    const { heads, centre, platt } = made.trained;
    const from = made.encoder.identity.dimension;
    (await explain(text)).forEach(({ features }, h) => {
      const clusters = features.length - extractor.names.length;
      expect(clusters).toBe(learner.startsWith('lr+clusters') ? 64 : 0);
      expect(features.slice(clusters).map(({ feature }) => feature)).toEqual(extractor.names);
      expect(features.slice(0, clusters).map(({ feature }) => feature)).toEqual(
        Array.from({ length: clusters }, (_, i) => `cluster_${i + 1}`),
      );
      extractor.extract(text).forEach((value, i) => {
        const column = from + clusters + i;
        const weight = heads[h]!.weights[column]! * platt[h]!.slope;
        expect(features[clusters + i]!.value).toBe(value);
        expect(features[clusters + i]!.contribution).toBeCloseTo(weight * (value - centre[column]!), 5);
      });
    });
  });
});

describe('the explanation where labelled cases vote', () => {
  itLong('names the nearest of them: a training text is its own nearest', async () => {
    const made = await everydayClassifier('lexicon', 'lr+knn');
    const explain = createExplainer(made.bytes, inputOf(made), extractor);
    for (const text of everydayTexts.slice(0, 30).filter((_, i) => i % 3 === 0)) {
      const [first, second] = await explain(text);
      const { nearest, vote } = first!.neighbours!;
      expect(nearest).toHaveLength(5);
      expect(nearest[0]).toMatchObject({ key: text.slice(0, 20), cases: 1 });
      expect(nearest[0]!.similarity).toBeGreaterThan(0.99);
      const similarities = nearest.map(({ similarity }) => similarity);
      expect(similarities).toEqual(similarities.toSorted((a, b) => b - a));
      expect(vote).toBeGreaterThanOrEqual(0);
      expect(vote).toBeLessThanOrEqual(1);
      expect(second!.neighbours!.nearest.map(({ key }) => key)).toEqual(nearest.map(({ key }) => key));
    }
  });
});

describe('the explanation of a lexicon classifier', () => {
  const tokenizer = createStaticEncoder().tokenizer;
  let made: EverydayClassifier;
  let explain: Explainer;
  beforeAll(async () => {
    made = await everydayClassifier('lexicon');
    explain = createExplainer(made.bytes, { kind: 'lexicon', tokenizer }, extractor);
  });

  it('counts word pieces, joins their occurrences and puts the largest first', async () => {
    const [one] = await explain('The cat saw the dog. The end?');
    expect(Object.fromEntries(one!.wordPieces.map(({ piece, count }) => [piece, count]))).toEqual({
      the: 3,
      cat: 1,
      saw: 1,
      dog: 1,
      '.': 1,
      end: 1,
      '?': 1,
    });
    const sizes = one!.wordPieces.map(({ contribution }) => Math.abs(contribution));
    expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
    expect(new Set(one!.wordPairs.map(({ pair }) => pair))).toEqual(
      new Set(['the cat', 'cat saw', 'saw the', 'the dog', 'dog .', '. the', 'the end', 'end ?']),
    );
    expect(one!.embedding).toBeUndefined();
  });

  it('has no pairs for a text of one piece, and the unknown piece for an empty one', async () => {
    expect((await explain('hello'))[0]!.wordPairs).toEqual([]);
    expect((await explain(''))[0]!.wordPieces).toMatchObject([{ piece: '[UNK]', count: 1 }]);
  });

  it('takes away from the score what it says that a piece adds', async () => {
    const [with_, without] = [await explain('banana'), await explain('zebra')];
    const { logits } = await unfoldedScores(made, ['banana', 'zebra']);
    with_.forEach((one, h) => {
      const meaning = (e: CandidateExplanation) => e.logit - sumOf({ ...e, wordPieces: [] });
      const features = (e: CandidateExplanation) => e.features.reduce((sum, f) => sum + f.contribution, 0);
      const gap = made.trained.platt[h]!.slope * (logits[h]![0]! - logits[h]![1]!);
      const explained = meaning(one) - meaning(without[h]!) + features(one) - features(without[h]!);
      expect(explained).toBeCloseTo(gap, 5);
    });
  });

  it('refuses a graph without the weights that it reads', () => {
    const model = decodeModel(made.bytes);
    const initializer = model.graph.initializer.filter(({ name }) => name !== 'feature_means');
    const bytes = encodeModel({ ...model, graph: { ...model.graph, initializer } });
    expect(() => createExplainer(bytes, { kind: 'lexicon', tokenizer }, extractor)).toThrow(
      expect.objectContaining({
        code: 'invalid-artifact',
        message: expect.stringContaining('feature_means'),
      }),
    );
  });
});

function inputOf({ kind, encoder }: EverydayClassifier) {
  return kind === 'lexicon'
    ? ({ kind, tokenizer: createStaticEncoder().tokenizer, encoder: createStaticEncoder() } as const)
    : ({ kind, encoder } as const);
}

function sumOf(explained: CandidateExplanation): number {
  const { intercept, features, wordPieces, wordPairs, embedding = 0, neighbours } = explained;
  const parts = [...features, ...wordPieces, ...wordPairs].map(({ contribution }) => contribution);
  return parts.reduce((sum, part) => sum + part, intercept + embedding + (neighbours?.contribution ?? 0));
}

it.each([
  [1, 'a1b2'],
  [0.4, 'a1b2'],
  [1.3, 'some 2 cases like a1b2'],
  [4.6, 'some 5 cases like a1b2'],
])('labelled cases near a text that count as %d are named', (cases, words) => {
  expect(nearestWords({ key: 'a1b2', cases })).toBe(words);
});
