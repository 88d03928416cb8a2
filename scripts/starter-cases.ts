import path from 'node:path';
import { type Case, type LoadedFile, loadCases, loadTierCases, questionKey } from '../evals/cases/index.ts';
import { PACKAGE_FOLDER } from '../router/package.ts';
import { mean } from '../router/statistics/index.ts';
import type { Outcome } from '../router/types.ts';

/** The starter's two candidates represent tiers, since users serve different pairs of models. */
export const SMALL = 'small-models';
export const LARGE = 'large-models';

/** A public set that the starter learns from. The label of a tier is the mean quality of its models on the case. */
interface TrainingSet {
  readonly file: string;
  readonly small: readonly string[];
  readonly large: readonly string[];
  /** Tasks that are left out, because the starter is measured on them. */
  readonly excludedTasks: readonly string[];
}

/** Training on llmrouter is allowed too, but its tiers differ more by format than by ability (docs/EXPERIMENTS.md). */
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
    excludedTasks: [],
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
    excludedTasks: ['gsm8k'],
  },
];

/** Sets that the starter is measured on; it learns from none of their questions, in whatever file they are. */
export const HELD_OUT = ['routellm_mmlu.jsonl.gz', 'routellm_gsm8k.jsonl.gz', 'routellm_mtbench.jsonl.gz'];

/** Everyday cases are few and most similar to real prompts, so each counts three times. */
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
 * Keys are computed again, because the sets' own keys differ for one question in two templates.
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
      const tiered = toTiers(one, set);
      if (tiered && !heldOut.has(tiered.key) && !cases.has(tiered.id)) cases.set(tiered.id, tiered);
      else excluded++;
    }
  }
  const everyday = EVERYDAY_FILES.flatMap((file) =>
    loadTierCases(path.join(PACKAGE_FOLDER, 'training-data', file), { cheap: SMALL, strong: LARGE }),
  );
  const weightOf = ({ id }: Case) => (cases.has(id) ? 1 : EVERYDAY_WEIGHT);
  return { cases: [...cases.values(), ...everyday], files, weightOf, excluded };
}

async function heldOutKeys(folder: string): Promise<ReadonlySet<string>> {
  const { cases } = await loadCases(HELD_OUT.map((file) => path.join(folder, file)));
  return new Set(cases.map(({ text }) => questionKey(text)));
}

function toTiers(one: Case, { small, large, excludedTasks }: TrainingSet): Case | undefined {
  if (excludedTasks.includes(one.task ?? '')) return undefined;
  const [cheap, strong] = [meanQuality(one, small), meanQuality(one, large)];
  if (cheap === undefined || strong === undefined) return undefined;
  const outcomes = new Map<string, Outcome>([
    [SMALL, { quality: cheap }],
    [LARGE, { quality: strong }],
  ]);
  return { ...one, key: questionKey(one.text), outcomes };
}

/** The mean over the models with an outcome; undefined if fewer than half of them have one. */
function meanQuality({ outcomes }: Case, models: readonly string[]): number | undefined {
  const known = models.flatMap((model) => outcomes.get(model)?.quality ?? []);
  if (known.length * 2 < models.length) return undefined;
  return mean(known);
}
