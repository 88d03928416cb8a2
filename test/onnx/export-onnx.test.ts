import { existsSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadCases } from '../../evals/cases/index.ts';
import { decodeModel } from '../../router/onnx/messages.ts';
import { openSession } from '../../router/onnx/session.ts';
import { itLong, sampled } from '../helpers/long-run.ts';
import {
  type EverydayClassifier,
  edgeTexts,
  everydayClassifier,
  everydayTexts,
  HEADS,
  hugeText,
  longText,
  trainEverydayClassifier,
  unfoldedScores,
} from './everyday-classifier.ts';

const AGREEMENT = 1e-5;
const DATA_FOLDER = process.env['PLIMSOLL_DATA'];
const MMLU = DATA_FOLDER && path.join(DATA_FOLDER, 'routellm_mmlu.jsonl.gz');

describe.each(
  sampled([
    ['lexicon', 'lr'],
    ['linear', 'lr'],
    ['lexicon', 'lr+clusters'],
    ['lexicon', 'lr+clusters+knn'],
    ['linear', 'lr+knn'],
  ] as const),
)('the exported %s graph of %s', (kind, learner) => {
  let made: EverydayClassifier;
  beforeAll(async () => {
    made = await everydayClassifier(kind, learner);
  });

  it('says of 1,000 everyday texts what the unfolded classifier says', async () => {
    expect(everydayTexts.length).toBeGreaterThanOrEqual(1000);
    expect(await largestGap(made, everydayTexts)).toBeLessThan(AGREEMENT);
  });

  it('says the same of empty, tiny, long and odd texts', async () => {
    expect(await largestGap(made, edgeTexts)).toBeLessThan(AGREEMENT);
  });

  it('says the same of a text as long as all of them together', async () => {
    expect(await largestGap(made, [longText])).toBeLessThan(AGREEMENT);
  });

  it('stays within 1e-4 where one piece stands 20,000 times and float32 rounds each sum the same way', async () => {
    const { probabilities } = await unfoldedScores(made, [hugeText]);
    const classifier = await made.open();
    const scores = await classifier.score(hugeText);
    scores.forEach((score, h) => {
      expect(Math.abs(score - probabilities[h]![0]!)).toBeLessThan(1e-4);
    });
    await classifier.close();
  });

  it('tells texts apart: the agreement is not that of a constant', async () => {
    const { probabilities } = await unfoldedScores(made, everydayTexts);
    for (const head of probabilities) expect(Math.max(...head) - Math.min(...head)).toBeGreaterThan(0.05);
  });

  it('says of 1,000 MMLU questions what the unfolded classifier says', async (context) => {
    if (!MMLU || !existsSync(MMLU)) {
      context.skip('PLIMSOLL_DATA names no folder with routellm_mmlu.jsonl.gz');
      return;
    }
    const { cases } = await loadCases([MMLU]);
    const texts = cases.slice(0, 1000).map(({ text }) => text);
    expect(texts).toHaveLength(1000);
    expect(await largestGap(made, texts)).toBeLessThan(AGREEMENT);
  });

  itLong('has the same bytes every time', async () => {
    const again = await trainEverydayClassifier(kind, learner);
    expect(Buffer.compare(again.bytes, made.bytes)).toBe(0);
  });

  it('names its inputs and outputs, with float logits before Platt scaling', async () => {
    const { graph, opsetImport } = decodeModel(made.bytes);
    expect(graph.input.map(({ name }) => name)).toEqual([
      ...(kind === 'lexicon' ? ['token_ids', 'pair_ids'] : ['embedding']),
      'features',
      ...(learner.endsWith('knn') ? ['vote'] : []),
    ]);
    expect(graph.output.map(({ name }) => name)).toEqual(['probabilities', 'logits']);
    expect(opsetImport).toMatchObject([{ version: 17 }]);
    const session = await openSession(made.bytes);
    expect(session.outputNames).toEqual(['probabilities', 'logits']);
    await session.release();
  });
});

describe('openSession', () => {
  it.each([
    ['no bytes', new Uint8Array()],
    ['bytes that are no model', new TextEncoder().encode('not a model')],
  ])('refuses %s as an invalid artifact', async (_, bytes) => {
    await expect(openSession(bytes)).rejects.toMatchObject({ code: 'invalid-artifact' });
  });
});

/** The largest difference of a probability between graph and unfolded computation; logits may differ ten times as much. */
async function largestGap(made: EverydayClassifier, texts: readonly string[]): Promise<number> {
  const { probabilities, logits } = await unfoldedScores(made, texts);
  const classifier = await made.open();
  let most = 0;
  for (const [row, text] of texts.entries()) {
    const scores = await classifier.score(text);
    const raw = await classifier.logits(text);
    expect(scores).toHaveLength(HEADS);
    for (let h = 0; h < HEADS; h++) {
      const gap = Math.abs(scores[h]! - probabilities[h]![row]!);
      most = Math.max(most, gap, Math.abs(raw[h]! - logits[h]![row]!) / 10);
    }
  }
  await classifier.close();
  return most;
}
