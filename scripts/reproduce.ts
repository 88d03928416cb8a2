import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import { type Case, type LoadedFile, loadCases, loadTierCases, questionKey } from '../evals/cases/index.ts';
import { apgrInterval, measureRanking, runGate } from '../evals/gate/index.ts';
import { train } from '../evals/lifecycle/index.ts';
import {
  type ArtifactDraft,
  readArtifact,
  readVerdict,
  sha256,
  sha256OfJson,
  type Verdict,
  writeArtifact,
} from '../router/artifact/index.ts';
import { createOnnxClassifier, featureExtractor } from '../router/classifier/index.ts';
import { createStaticEncoder } from '../router/encoders/index.ts';
import { PlimsollError } from '../router/errors.ts';
import { PACKAGE_FOLDER } from '../router/package.ts';
import { mean } from '../router/statistics/index.ts';
import type { Outcome } from '../router/types.ts';
import { print } from './terminal.ts';

/** The starter's two candidates represent tiers, since users serve different pairs of models. */
const SMALL = 'small-models';
const LARGE = 'large-models';

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
const HELD_OUT = ['routellm_mmlu.jsonl.gz', 'routellm_gsm8k.jsonl.gz', 'routellm_mtbench.jsonl.gz'];

/** Everyday cases are few and are what the starter is for, so each counts for thirty of the public ones (docs/EXPERIMENTS.md). */
const EVERYDAY_WEIGHT = 30;

/** What tells an everyday case. */
const EVERYDAY = 'everyday';

const EVERYDAY_FILES = ['everyday-english.jsonl', 'everyday-multilingual.jsonl'];

interface StarterData {
  readonly cases: readonly Case[];
  readonly files: readonly LoadedFile[];
  readonly weightOf: (one: Case) => number;
  /** Questions of the public sets: they teach, and the starter makes no promise about them. */
  readonly auxiliary: (one: Case) => boolean;
  /** Rows left out: questions of a held-out set, tasks left out, rows without both tiers. */
  readonly excluded: number;
}

/**
 * The cases of `models/starter`: the public sets whose licence allows training, and the everyday cases of training-data/.
 * Keys are computed again, because the sets' own keys differ for one question in two templates.
 */
async function starterCases(folder: string): Promise<StarterData> {
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
  const auxiliary = ({ source }: Case) => source !== EVERYDAY;
  const weightOf = (one: Case) => (auxiliary(one) ? 1 : EVERYDAY_WEIGHT);
  return { cases: [...cases.values(), ...everyday], files, weightOf, auxiliary, excluded };
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

/** The day that the recipe last changed: in the manifest in place of the clock, so that the bytes repeat. */
const CREATED = '2026-11-29T00:00:00.000Z';
const SEED = 2;
const FOLDS = 4;
/** A few informative features would drown among 384 columns of equal penalty (docs/EXPERIMENTS.md). */
const STRUCTURAL_SCALE = 3;
/** What the suite allows: the preview of the threshold is for the same promise. */
const MAX_QUALITY_LOSS = 0.05;
const CONFIDENCE = 0.95;

/** Sets that the starter did not learn from: the published pair on three of them. */
const MEASURED_ON = [
  {
    file: 'routellm_mmlu.jsonl.gz',
    cheap: 'mixtral-8x7b-instruct-v0.1',
    strong: 'gpt-4-1106-preview',
    field: 'quality',
  },
  {
    file: 'routellm_gsm8k.jsonl.gz',
    cheap: 'mixtral-8x7b-instruct-v0.1',
    strong: 'gpt-4-1106-preview',
    field: 'quality_regraded',
  },
  {
    file: 'routellm_mtbench.jsonl.gz',
    cheap: 'mixtral-8x7b-instruct-v0.1',
    strong: 'gpt-4-1106-preview',
    field: 'quality',
  },
  {
    file: 'routerbench_subset.jsonl.gz',
    cheap: 'mistralai/mixtral-8x7b-chat',
    strong: 'gpt-4-1106-preview',
    field: 'quality',
  },
  { file: 'rational_cascades.jsonl.gz', cheap: 'llama3.1-8b', strong: 'llama3.1-405b', field: 'quality' },
] as const;

const command = new Command('reproduce')
  .description(
    'Rebuild models/starter from the public data, byte for byte, or check that it is what they give',
  )
  .requiredOption('--data <folder>', 'the folder with the converted public sets (training-data/sources.json)')
  .option('--out <folder>', 'where to write', path.join(PACKAGE_FOLDER, 'models/starter'))
  .option('--check', 'write nothing; fail where the artifact or its verdict in --out differs', false);

const SUITE = path.join(PACKAGE_FOLDER, 'evals/suites/starter.yaml');

async function reproduce(
  { cases, files, weightOf, auxiliary, excluded }: StarterData,
  folder: string,
): Promise<ArtifactDraft> {
  const source = {
    quality_field: 'quality',
    files: [
      ...files.map(({ file, sha256, rows }) => ({ file: path.basename(file), sha256, rows })),
      ...everydayFiles(),
    ],
    rejected: 0,
    excluded,
  };
  const draft = await train(
    { cases, source },
    {
      name: 'starter',
      created: new Date(CREATED),
      ladder: [SMALL, LARGE],
      rule: { rule: 'max-quality-loss', target: MAX_QUALITY_LOSS, confidence: CONFIDENCE },
      seed: SEED,
      folds: FOLDS,
      weight: weightOf,
      auxiliary,
      learner: 'lr',
      structuralScale: STRUCTURAL_SCALE,
      expectedLoss: false, // as it was released
      holdOut: false, // the gate has cases of its own: training-data/everyday-held-out.jsonl
    },
  );
  const notes = await measuredNotes(draft, folder);
  return { ...draft, modelCard: `${draft.modelCard}\n${notes}` };
}

function everydayFiles() {
  return ['everyday-english.jsonl', 'everyday-multilingual.jsonl'].map((file) => {
    const bytes = readFileSync(path.join(PACKAGE_FOLDER, 'training-data', file));
    return { file, sha256: sha256(bytes), rows: bytes.toString('utf8').trim().split('\n').length };
  });
}

/** A section of the model card: the starter on sets that it did not learn from. */
async function measuredNotes(draft: ArtifactDraft, folder: string): Promise<string> {
  const input = { kind: 'lexicon', tokenizer: createStaticEncoder().tokenizer } as const;
  const classifier = await createOnnxClassifier(
    draft.classifier,
    input,
    featureExtractor(draft.manifest.features),
  );
  const rows: string[] = [];
  for (const { file, cheap, strong, field } of MEASURED_ON) {
    const { cases } = await loadCases([path.join(folder, file)], {
      models: [cheap, strong],
      qualityField: field,
    });
    const scores = new Float64Array(cases.length);
    for (let i = 0; i < cases.length; i++) {
      const [small, large] = await classifier.score(cases[i]!.text);
      scores[i] = large! - small!;
    }
    const quality = (model: string) =>
      Float64Array.from(cases, ({ outcomes }) => outcomes.get(model)!.quality);
    const unknown = cases.map(() => undefined);
    const outcomes = {
      cheapQuality: quality(cheap),
      strongQuality: quality(strong),
      cheapCostUsd: unknown,
      strongCostUsd: unknown,
    };
    const { apgr, cpt80 } = measureRanking(scores, outcomes);
    const interval = apgrInterval(scores, outcomes);
    rows.push(
      `| ${file.replace('.jsonl.gz', '')} (${field}) | ${cheap} -> ${strong} | ${cases.length} | ${apgr?.toFixed(3) ?? '-'} | ${interval?.low.toFixed(3) ?? '-'} to ${interval?.high.toFixed(3) ?? '-'} | ${cpt80?.toFixed(3) ?? '-'} |`,
    );
  }
  await classifier.close();
  return [
    '## On other sets',
    '',
    "What the starter is worth before you give it labels of your own. No question of the first four stands in its training data, in any file; five of rational_cascades do. The pairs are others than its tiers, though Mixtral-8x7b and Llama-3.1-8b are also among the small tier's models. Which sets to learn from, and how much the everyday cases count, was decided with these figures in view, so they are a little kind. Random: APGR .500, CPT80 .800.",
    '',
    '| set | pair | n | APGR | 95 % interval | CPT80 |',
    '|---|---|---:|---:|---|---:|',
    ...rows,
    '',
  ].join('\n');
}

function assertSame(draft: ArtifactDraft, folder: string): void {
  const { classifier, golden, modelCard, manifest, seenQuestions } = readArtifact(folder);
  const { files: _, ...before } = manifest;
  const same =
    Buffer.compare(Buffer.from(classifier), Buffer.from(draft.classifier)) === 0 &&
    JSON.stringify(golden) === JSON.stringify(draft.golden) &&
    JSON.stringify(before) === JSON.stringify(draft.manifest) &&
    modelCard === draft.modelCard &&
    Buffer.compare(Buffer.from(seenQuestions), Buffer.from(draft.seenQuestions)) === 0;
  if (same) return;
  throw new PlimsollError(
    'invalid-artifact',
    `${folder} is not what the data and this version of the code give.`,
  );
}

interface Flags {
  readonly data: string;
  readonly out: string;
  readonly check: boolean;
}

async function run({ data, out, check }: Flags): Promise<void> {
  const draft = await reproduce(await starterCases(data), data);
  if (check) assertSame(draft, out);
  else writeArtifact(out, draft, { replace: true });
  const { verdict } = await runGate({
    artifact: out,
    suite: SUITE,
    issued: new Date(CREATED),
    write: !check,
  });
  if (check) assertSameVerdict(verdict, out);
  print(`${out}: ${check ? 'the same, byte for byte' : 'written'}; the gate says ${verdict.verdict}\n`);
}

function assertSameVerdict(verdict: Verdict, folder: string): void {
  const shipped = readVerdict(folder);
  if (shipped !== undefined && sha256OfJson(shipped) === sha256OfJson(verdict)) return;
  throw new PlimsollError('invalid-artifact', `The verdict in ${folder} is not what the gate says of it.`);
}

try {
  await run(command.parse().opts<Flags>());
} catch (error) {
  if (!(error instanceof PlimsollError)) throw error;
  process.stderr.write(`reproduce: ${error.message}\n`);
  process.exitCode = 1;
}
