import path from 'node:path';
import {
  type Case,
  casesFromTiers,
  type LoadedFile,
  loadCases,
  loadTierCases,
  questionKey,
} from '../evals/cases/index.ts';
import { PACKAGE_FOLDER } from '../router/package.ts';
import type { Outcome } from '../router/types.ts';

/** The starter's two candidates stand for tiers: no single pair is what a stranger serves. */
export const SMALL = 'small-models';
export const LARGE = 'large-models';

/** A public set that the starter learns from. A tier's label is the mean quality of its models on the case. */
interface TrainingSet {
  readonly file: string;
  readonly small: readonly string[];
  readonly large: readonly string[];
  /** Tasks that are left out, because the starter is measured on them. */
  readonly without: readonly string[];
}

/** llmrouter may be trained on too, and is not: its tiers differ by format more than by ability (docs/EXPERIMENTS.md). */
const TRAINING_SETS: readonly TrainingSet[] = [
  {
    file: 'mmlu_pro.jsonl.gz',
    small: [
      'llama-3.1-8b-instruct',
      'mixtral-8x7b-instruct-v0.1',
      'mistral-7b-instruct-v0.2',
      'phi-3-mini-4k-instruct',
    ],
    large: ['gemini-1.5-pro-002', 'gemini-1.5-flash-002', 'llama-3.1-70b-instruct', 'deepseek-coder-v2'],
    without: [],
  },
  {
    file: 'zeroeval.jsonl.gz',
    small: [
      'Meta-Llama-3.1-8B-Instruct',
      'Meta-Llama-3-8B-Instruct',
      'Qwen2-7B-Instruct',
      'gemma-2-9b-it',
      'Mixtral-8x7B-Instruct-v0.1',
      'claude-3-haiku-20240307',
      'gpt-3.5-turbo-0125',
    ],
    large: [
      'claude-3-5-sonnet-20241022',
      'gpt-4o-2024-08-06',
      'gpt-4o-2024-05-13',
      'gemini-1.5-pro',
      'Mistral-Large-2',
    ],
    without: ['gsm8k'],
  },
];

/** Sets that the starter is measured on; no question of theirs is learned from, whatever file it stands in. */
export const HELD_OUT = ['routellm_mmlu.jsonl.gz', 'routellm_gsm8k.jsonl.gz', 'routellm_mtbench.jsonl.gz'];

/** Everyday cases are few, and nearest to what people send: each counts three times. */
export const EVERYDAY_WEIGHT = 3;

const EVERYDAY_FILES = ['everyday-english.jsonl', 'everyday-multilingual.jsonl'];

export interface StarterData {
  readonly cases: readonly Case[];
  readonly files: readonly LoadedFile[];
  readonly weightOf: (one: Case) => number;
  /** Rows left out: questions of a held-out set, tasks left out, rows without both tiers. */
  readonly excluded: number;
}

/**
 * The cases of `models/starter`: the public sets whose licence allows training, and the everyday cases of training-data/.
 * Keys are computed anew, because the sets' own keys do not see one question through two templates.
 */
export async function starterCases(folder: string): Promise<StarterData> {
  const heldOut = await heldOutKeys(folder);
  const cases = new Map<string, Case>();
  const files: LoadedFile[] = [];
  let excluded = 0;
  for (const set of TRAINING_SETS) {
    const loaded = await loadCases([path.join(folder, set.file)]);
    files.push(...loaded.files);
    for (const one of loaded.cases) {
      const tiered = inTiers(one, set);
      if (tiered && !heldOut.has(tiered.key) && !cases.has(tiered.id)) cases.set(tiered.id, tiered);
      else excluded++;
    }
  }
  const everyday = EVERYDAY_FILES.flatMap((file) =>
    casesFromTiers(loadTierCases(path.join(PACKAGE_FOLDER, 'training-data', file)), {
      cheap: SMALL,
      strong: LARGE,
    }),
  );
  const weightOf = ({ id }: Case) => (cases.has(id) ? 1 : EVERYDAY_WEIGHT);
  return { cases: [...cases.values(), ...everyday], files, weightOf, excluded };
}

async function heldOutKeys(folder: string): Promise<ReadonlySet<string>> {
  const { cases } = await loadCases(HELD_OUT.map((file) => path.join(folder, file)));
  return new Set(cases.map(({ text }) => questionKey(text)));
}

function inTiers(one: Case, { small, large, without }: TrainingSet): Case | undefined {
  if (without.includes(one.task ?? '')) return undefined;
  const [cheap, strong] = [meanQuality(one, small), meanQuality(one, large)];
  if (cheap === undefined || strong === undefined) return undefined;
  const outcomes = new Map<string, Outcome>([
    [SMALL, { quality: cheap }],
    [LARGE, { quality: strong }],
  ]);
  return { ...one, key: questionKey(one.text), outcomes };
}

/** Over the models that answered; undefined where fewer than half of them did. */
function meanQuality({ outcomes }: Case, models: readonly string[]): number | undefined {
  const known = models.flatMap((model) => outcomes.get(model)?.quality ?? []);
  if (known.length * 2 < models.length) return undefined;
  return known.reduce((total, quality) => total + quality, 0) / known.length;
}
