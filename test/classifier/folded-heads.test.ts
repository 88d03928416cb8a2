import { expect, test } from 'vitest';
import { createOnnxClassifier } from '../../router/classifier/classifier.ts';
import { createSimilarityInputs, type SimilarityInputs } from '../../router/classifier/similarity.ts';
import { featureExtractor } from '../../router/classifier/structural-features.ts';
import { pairBuckets } from '../../router/classifier/word-pairs.ts';
import { createStaticEncoder, staticTokenizer, tokenIdsOf } from '../../router/encoders/index.ts';
import { decodeModel, encodeModel, openSession, tensor } from '../../router/onnx/index.ts';
import { LONG_RUN, scaled } from '../helpers/long-run.ts';
import { edgeTexts, everydayClassifier, everydayTexts } from '../onnx/everyday-classifier.ts';

const tokenizer = staticTokenizer();
const encoder = createStaticEncoder();
const extractor = featureExtractor();

test.each(LONG_RUN ? (['lr', 'lr+knn', 'lr+clusters+knn'] as const) : (['lr', 'lr+clusters+knn'] as const))(
  'what is added up here is what onnxruntime says of %s',
  async (learner) => {
    const { bytes, open, trained } = await everydayClassifier('lexicon', learner);
    const inputsOf = trained.similarity && createSimilarityInputs(trained.similarity);
    const classifier = await open();
    const session = await openSession(bytes);
    for (const text of [...everydayTexts.slice(0, scaled(300)), ...edgeTexts]) {
      const ids = tokenIdsOf(tokenizer, text);
      const pairs = pairBuckets(ids);
      const plain = extractor.extract(text);
      const { features, vote }: SimilarityInputs = inputsOf
        ? inputsOf(encoder.meanOf(ids), plain)
        : { features: plain };
      const told = await session.run({
        token_ids: tensor('int32', ids, [ids.length]),
        pair_ids: tensor('int32', pairs, [pairs.length]),
        features: tensor('float32', features, [features.length]),
        ...(vote && { vote: tensor('float32', vote, [vote.length]) }),
      });
      const [scores, logits] = [await classifier.score(text), await classifier.logits(text)];
      scores.forEach((score, h) => {
        expect(score).toBeCloseTo((told['probabilities']!.data as Float32Array)[h]!, 5);
        expect(logits[h]).toBeCloseTo((told['logits']!.data as Float32Array)[h]!, 4);
      });
    }
    await session.release();
  },
);

test.each([
  ['ReduceMean', 'ReduceSum'],
  ['Sqrt', 'Abs'],
  ['Sigmoid', 'Tanh'],
  ['Sub', 'Add'],
])('a graph with another %s is refused, though its tables are the same', async (from, to) => {
  const { bytes } = await everydayClassifier('lexicon');
  const model = decodeModel(bytes);
  const node = model.graph.node.map((one) => (one.opType === from ? { ...one, opType: to } : one));
  const other = encodeModel({ ...model, graph: { ...model.graph, node } });
  await expect(createOnnxClassifier(other, { kind: 'lexicon', tokenizer }, extractor)).rejects.toMatchObject({
    code: 'invalid-artifact',
  });
});

test('a file without the tables is refused by name', async () => {
  const { bytes } = await everydayClassifier('linear');
  await expect(createOnnxClassifier(bytes, { kind: 'lexicon', tokenizer }, extractor)).rejects.toMatchObject({
    code: 'invalid-artifact',
    message: expect.stringContaining('"lexicon"'),
  });
});

test.each([
  ['Log', 'Exp'],
  ['Div', 'Mul'],
])('a blend with another %s is refused', async (from, to) => {
  const { bytes } = await everydayClassifier('lexicon', 'lr+knn');
  const model = decodeModel(bytes);
  const node = model.graph.node.map((one) => (one.opType === from ? { ...one, opType: to } : one));
  const other = encodeModel({ ...model, graph: { ...model.graph, node } });
  await expect(
    createOnnxClassifier(other, { kind: 'lexicon', tokenizer, encoder }, extractor),
  ).rejects.toMatchObject({ code: 'invalid-artifact' });
});

test('tables of neighbours need a manifest that names them, and all of them', async () => {
  const { bytes } = await everydayClassifier('lexicon', 'lr+knn');
  await expect(createOnnxClassifier(bytes, { kind: 'lexicon', tokenizer }, extractor)).rejects.toMatchObject({
    code: 'invalid-artifact',
    message: expect.stringContaining('learner'),
  });
  const model = decodeModel(bytes);
  const initializer = model.graph.initializer.filter(({ name }) => name !== 'neighbour_labels');
  const other = encodeModel({ ...model, graph: { ...model.graph, initializer } });
  await expect(
    createOnnxClassifier(other, { kind: 'lexicon', tokenizer, encoder }, extractor),
  ).rejects.toMatchObject({ code: 'invalid-artifact', message: expect.stringContaining('neighbour_labels') });
});
