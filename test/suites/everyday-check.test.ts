import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type HardCase, loadHardCases, questionKey } from '../../evals/cases/index.ts';
import { openArtifactClassifier, strongestAlone } from '../../evals/gate/replay.ts';
import { readArtifact, readVerdict } from '../../router/artifact/index.ts';
import { predictedLoss } from '../../router/policy/index.ts';
import { everydayCases } from '../training-data/data-card.ts';

const root = join(import.meta.dirname, '..', '..');
const cases = loadHardCases(join(root, 'evals/suites/everyday-check.jsonl'));
const starter = join(root, 'models/starter');

/** Of some cases: how many there are, and how many the starter escalates at the threshold that serves. */
let escalated: (some: readonly HardCase[]) => string;

beforeAll(async () => {
  const threshold = readVerdict(starter)!.policy.threshold;
  const classifier = await openArtifactClassifier(readArtifact(starter), false);
  const up = new Set<string>();
  for (const { id, text } of cases) {
    const scores = await classifier.scoreForDecision(text);
    if (predictedLoss(typeof scores === 'string' ? strongestAlone(2) : scores, 0) > threshold) up.add(id);
  }
  await classifier.close();
  escalated = (some) => `${some.filter(({ id }) => up.has(id)).length} of ${some.length}`;
});

describe('the starter on requests by somebody who had not seen its cases', () => {
  it('has learned from none of them', () => {
    const { english, multilingual, heldOut } = everydayCases();
    const learned = new Set([...english, ...multilingual, ...heldOut].map(({ text }) => questionKey(text)));
    const seen = cases.filter(({ text }) => learned.has(questionKey(text)));
    expect(seen.map(({ text }) => text).filter((text) => text.length > 60)).toEqual([]);
    expect(seen.length / cases.length).toBeLessThan(0.03); // greetings and thanks are what they are
  });

  // docs/RESULTS.md shows these figures
  it('escalates a quarter of the easy ones, and nearly all hard ones', () => {
    const inSlice = (name: string) => escalated(cases.filter(({ slice }) => slice === name));
    expect({ everyday: inSlice('everyday'), hard: inSlice('hard') }).toMatchInlineSnapshot(`
      {
        "everyday": "30 of 150",
        "hard": "99 of 100",
      }
    `);
  });

  it('escalates few one-liners in most languages, and the odd one in others', () => {
    const oneLiners = cases.filter(({ slice }) => slice === 'easy-by-language');
    const languages = [...new Set(oneLiners.map(({ language }) => language))];
    const counts = languages.map((name) => [
      name,
      escalated(oneLiners.filter(({ language }) => language === name)),
    ]);
    expect(Object.fromEntries(counts)).toMatchInlineSnapshot(`
      {
        "ar": "0 of 5",
        "de": "0 of 5",
        "en": "0 of 5",
        "es": "1 of 5",
        "fr": "1 of 5",
        "hi": "0 of 5",
        "it": "0 of 5",
        "ja": "0 of 5",
        "ko": "1 of 5",
        "nl": "0 of 5",
        "pl": "0 of 5",
        "pt": "1 of 5",
        "ru": "0 of 5",
        "tr": "2 of 5",
        "zh": "2 of 5",
      }
    `);
  });
});
