import { Command, Option } from 'commander';
import { checkedModels, givenOutcomes } from '../../evals/cases/index.ts';
import {
  artifactName,
  DEFAULT_ABSTAIN_PERCENT,
  expectationSentence,
  requireAbstaining,
  thresholdWords,
  train,
} from '../../evals/lifecycle/index.ts';
import { assertWritable, type Manifest, writeArtifact } from '../../router/artifact/index.ts';
import { signalGaps } from '../../router/cascade/index.ts';
import { uninterrupted } from '../../router/files/index.ts';
import { addDataFlags, type DataFlags, loadData } from '../data-flags.ts';
import { isoTime, numberBetween, usage, wholeNumberBetween } from '../flags.ts';
import {
  addLearnerFlag,
  addThresholdFlags,
  type CandidateFlags,
  candidatesFrom,
  encoderId,
  type LearnerFlag,
  type ThresholdFlags,
  thresholdRule,
} from '../learning-flags.ts';
import { addPeopleFlag, type PeopleFlag, rungsFrom } from '../people-flag.ts';
import { print, printJson, printNotes, showProgress } from '../terminal.ts';

interface Flags extends DataFlags, CandidateFlags, PeopleFlag, LearnerFlag, ThresholdFlags {
  readonly cascade: boolean;
  readonly abstain?: number;
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
  const command = addPeopleFlag(addLearnerFlag(addDataFlags(new Command('train'))))
    .option('--cheap <model>', 'the cheap model, as the data name it')
    .option('--strong <model>', 'the strong model')
    .option('--ladder <models>', 'in place of both: two or more models, cheapest first, with commas between')
    .option(
      '--cascade',
      'cheaper models reply first, and their replies are judged: needs answer, confidence_logprob or signals in the outcomes of all models but the strongest',
      false,
    )
    .addOption(
      new Option(
        '--abstain [percent]',
        `send requests that nothing labelled resembles to the strongest model unscored: those less similar to their nearest labelled case than this share of training cases (default: ${DEFAULT_ABSTAIN_PERCENT})`,
      )
        .preset(String(DEFAULT_ABSTAIN_PERCENT))
        .argParser(numberBetween(0, 50)),
    )
    .requiredOption('--out <folder>', 'the artifact to write')
    .option('--force', 'replace the artifact if it is there', false)
    .option('--name <name>', "the artifact's name (default: the folder's)")
    .option(
      '--encoder <id>',
      'static, minilm or transformers:<folder or hub name>',
      usage(encoderId),
      'static',
    )
    .option('--allow-hub', 'let a transformers encoder fetch its model from the hub', false)
    .option('--seed <n>', 'seed of the split', wholeNumberBetween(0, 2 ** 31 - 1), 1)
    .option('--folds <k>', 'folds of the cross-validation that chooses lambda', wholeNumberBetween(2, 20), 5)
    .option('--created <time>', 'ISO time to write into the manifest, for a build that repeats byte for byte')
    .option('--json', 'print the manifest as JSON', false);
  return addThresholdFlags(command)
    .addHelpText(
      'after',
      '\nExample:\n  plimsoll train --data labelled.jsonl --cheap gpt-4o-mini --strong gpt-4o --out models/mine --max-quality-loss 0.02\n  plimsoll train --data labelled.jsonl --cheap gpt-4o-mini --strong gpt-4o --cascade --out models/cascade\n',
    )
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  const models = candidatesFrom(flags);
  const ladder = rungsFrom(models, flags);
  const { out, force, learner, encoder, allowHub, seed, folds, cascade, abstain: abstainPercent } = flags;
  const options = {
    ladder,
    cascade,
    rule: thresholdRule(flags),
    created: isoTime('--created', flags.created),
    name: artifactName(out, flags.name),
    learner,
    ...(abstainPercent !== undefined && { abstainPercent }),
    encoder,
    allowHub,
    seed,
    folds,
    onProgress: showProgress(),
  };
  assertWritable(out, { replace: force }); // both refuse before the data are read
  if (abstainPercent !== undefined) requireAbstaining(learner, abstainPercent);
  const draft = await train(
    await loadData(flags, models, { keepReplies: cascade }, givenOutcomes(ladder)),
    options,
  );
  const manifest = uninterrupted(() => writeArtifact(out, draft, { replace: force }));
  printNotes([...signalGaps(manifest), ...(cascade ? [NEEDS_GATEWAY] : [])]);
  if (flags.json) printJson({ out, manifest });
  else print(summary(out, manifest));
}

const NEEDS_GATEWAY =
  'A cascade judges replies, so it keeps requests cheap only at the gateway. /v1/route and `plimsoll route` see no reply and always escalate (reason cascade-unchecked or cascade-skipped).';

export function summary(out: string, { ladder, metrics, policy, split, cascade }: Manifest): string {
  const { train: learned, calibration, test: sealed } = split;
  return [
    `Wrote ${out}: ${ladder.map(({ model }) => model).join(' -> ')}${cascade === undefined ? '' : `, each reply of ${checkedModels(ladder.map(({ model }) => model)).join(' and ')} judged before it goes out`}`,
    `trained on ${learned.n} cases${calibration === undefined ? '' : `, calibrated on ${calibration.n}`}; ${sealed.n} stay sealed for the gate`,
    `APGR on the ${calibration === undefined ? 'training' : 'calibration'} cases ${metrics?.apgr?.toFixed(3) ?? '-'} (random .500)`,
    `${thresholdWords(policy)}: ${expectationSentence(policy)}`,
    '',
  ].join('\n');
}
