import path from 'node:path';
import { Command } from 'commander';
import { artifactName, expectationSentence, trainArtifact } from '../../evals/lifecycle/index.ts';
import { assertWritable, type Manifest, type Rung, writeArtifact } from '../../router/artifact/index.ts';
import { openEncoder, parseEncoderSpec } from '../../router/encoders/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { isoTime } from '../iso-time.ts';
import {
  addDataFlags,
  type DataFlags,
  loadLabelled,
  qualityColumns,
  readingSection,
  wholeNumberBetween,
} from '../labelled-data.ts';
import { print, printJson } from '../output.ts';
import { addThresholdFlags, type ThresholdFlags, thresholdRule } from '../threshold-flags.ts';
import { uninterrupted } from '../uninterrupted.ts';

interface Flags extends DataFlags, ThresholdFlags {
  readonly cheap?: string;
  readonly strong?: string;
  readonly ladder?: string;
  readonly out: string;
  readonly force: boolean;
  readonly name?: string;
  readonly encoder: string;
  readonly allowHub: boolean;
  readonly seed: number;
  readonly folds: number;
  readonly created?: string;
  readonly json: boolean;
}

export function trainCommand(): Command {
  const command = addDataFlags(new Command('train'))
    .description('Train and calibrate a router on labelled cases, and write it as an artifact')
    .option('--cheap <model>', 'the cheap model, as the data name it')
    .option('--strong <model>', 'the strong model')
    .option('--ladder <models>', 'in place of both: two or more models, cheapest first, with commas between')
    .requiredOption('--out <folder>', 'the artifact to write')
    .option('--force', 'replace the artifact if it is there', false)
    .option('--name <name>', "the artifact's name (default: the folder's)")
    .option('--encoder <id>', 'static, minilm or transformers:<folder or hub name>', 'static')
    .option('--allow-hub', 'let a transformers encoder fetch its model from the hub', false)
    .option('--seed <n>', 'seed of the split', wholeNumberBetween(0, 2 ** 31 - 1), 1)
    .option('--folds <k>', 'folds of the cross-validation that chooses lambda', wholeNumberBetween(2, 20), 5)
    .option('--created <time>', 'ISO time to write into the manifest, for a build that repeats byte for byte')
    .option('--json', 'print the manifest as JSON', false);
  return addThresholdFlags(command)
    .addHelpText(
      'after',
      '\nExample:\n  plimsoll train --data labelled.jsonl --cheap gpt-4o-mini --strong gpt-4o --out models/mine --max-quality-loss 0.02\n',
    )
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  const ladder = ladderOf(flags);
  const rule = thresholdRule(flags);
  const created = (
    flags.created === undefined ? new Date() : isoTime('--created', flags.created)
  ).toISOString();
  const name = artifactName(flags.out, flags.name);
  const encoderSpec = parseEncoderSpec(flags.encoder, { allowHub: flags.allowHub });
  assertWritable(flags.out, { replace: flags.force });
  const models = ladder.map(({ model }) => model);
  const loaded = await loadLabelled(flags, models);
  qualityColumns(loaded, models);
  const encoder = await openEncoder(encoderSpec);
  try {
    const data: Manifest['data'] = {
      quality_field: flags.qualityField,
      ...readingSection(loaded, flags),
      files: loaded.files.map(({ file, sha256, rows }) => ({ file: path.basename(file), sha256, rows })),
      rejected: loaded.rejectedCount,
      excluded: loaded.excluded.missingOutcome + loaded.excluded.duplicates,
    };
    const { seed, folds } = flags;
    const draft = await trainArtifact({
      name,
      created,
      cases: loaded.cases,
      ladder,
      encoder,
      rule,
      seed,
      folds,
      data,
    });
    const manifest = uninterrupted(() => writeArtifact(flags.out, draft, { replace: flags.force }));
    if (flags.json) printJson({ out: flags.out, manifest });
    else print(summary(flags.out, manifest));
  } finally {
    await encoder.close();
  }
}

/** Two candidates are called cheap and strong; more are called by their models' names. */
function ladderOf({ cheap, strong, ladder }: Flags): Rung[] {
  if (ladder !== undefined) {
    const models = ladder.split(',').map((model) => model.trim());
    if (cheap !== undefined || strong !== undefined || models.length < 2 || models.includes('')) {
      throw new PlimsollError(
        'invalid-input',
        '--ladder takes two or more models, cheapest first, with commas between, and stands in place of --cheap and --strong.',
      );
    }
    if (models.length === 2) return ladderOfTwo(models[0]!, models[1]!);
    return models.map((model) => ({ candidate: model, model }));
  }
  if (cheap === undefined || strong === undefined) {
    throw new PlimsollError(
      'invalid-input',
      'Name the candidates: --cheap MODEL --strong MODEL, or --ladder A,B,C.',
    );
  }
  return ladderOfTwo(cheap, strong);
}

function ladderOfTwo(cheap: string, strong: string): Rung[] {
  return [
    { candidate: 'cheap', model: cheap },
    { candidate: 'strong', model: strong },
  ];
}

export function summary(out: string, { ladder, metrics, policy, split }: Manifest): string {
  const { expected, threshold } = policy;
  return [
    `Wrote ${out}: ${ladder.map(({ model }) => model).join(' -> ')}`,
    `trained on ${split.train.n} cases, calibrated on ${expected?.n ?? 'none'}; ${split.test.n} stay sealed for the gate`,
    `APGR on the calibration split ${metrics?.apgr?.toFixed(3) ?? '-'} (random .500)`,
    `threshold ${threshold.toFixed(4)}: ${expectationSentence(policy)}`,
    '',
  ].join('\n');
}
