import { Command } from 'commander';
import {
  type Case,
  DEFAULT_SHARES,
  type LoadedCases,
  partBySeen,
  seenQuestions,
  splitByKey,
} from '../../evals/cases/index.ts';
import { artifactName, recalibrated } from '../../evals/lifecycle/index.ts';
import { textTable } from '../../evals/report/index.ts';
import type { CertifiableMargin } from '../../evals/threshold/index.ts';
import {
  type ArtifactFiles,
  assertWritable,
  type Rung,
  readArtifact,
  resolveArtifact,
  writeArtifact,
} from '../../router/artifact/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { addDataFlags, type DataFlags, loadLabelled, qualityColumns } from '../labelled-data.ts';
import { print, printJson } from '../output.ts';
import { addThresholdFlags, type ThresholdFlags, thresholdRule } from '../threshold-flags.ts';
import { uninterrupted } from '../uninterrupted.ts';
import { summary } from './train.ts';

interface Flags extends DataFlags, ThresholdFlags {
  readonly artifact: string;
  readonly cheap?: string;
  readonly strong?: string;
  readonly out: string;
  readonly force: boolean;
  readonly allowHub: boolean;
  readonly json: boolean;
}

export function calibrateCommand(): Command {
  const command = addDataFlags(new Command('calibrate'))
    .description(
      'Fit the probabilities and the threshold of an artifact to labelled cases, as a new artifact',
    )
    .requiredOption('--artifact <folder>', 'the artifact to start from; it stays as it is')
    .option('--cheap <model>', "whose outcomes stand for the cheap candidate (default: the artifact's)")
    .option('--strong <model>', 'whose outcomes stand for the strong candidate')
    .requiredOption('--out <folder>', 'the artifact to write')
    .option('--force', 'replace the artifact if it is there', false)
    .option('--allow-hub', 'let a transformers encoder fetch its model from the hub', false)
    .option('--json', 'print the manifest as JSON', false);
  return addThresholdFlags(command)
    .addHelpText(
      'after',
      `
The classifier's weights stay; Platt scaling and the threshold are fitted anew. The cases are split by question with the artifact's
seed: the test part (20 %) stays sealed for the gate. Of the rest, questions that the artifact has learned from are left out, so of its
own training data only the calibration part is used.

Example:
  plimsoll calibrate --artifact models/starter --data labelled.jsonl --cheap gpt-4o-mini --strong gpt-4o --out models/mine
`,
    )
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  const rule = thresholdRule(flags);
  const name = artifactName(flags.out);
  const artifact = readArtifact(resolveArtifact(flags.artifact));
  const ladder = ladderOf(artifact, flags);
  assertWritable(flags.out, { replace: flags.force });
  const models = ladder.map(({ model }) => model);
  const loaded = await loadLabelled(flags, models);
  qualityColumns(loaded, models);
  const { calibration, sealed } = sharedOut(loaded, artifact);
  const { draft, margins } = await recalibrated({
    artifact,
    cases: calibration,
    sealed,
    ladder,
    rule,
    name,
    files: loaded.files,
    allowHub: flags.allowHub,
  });
  const manifest = uninterrupted(() => writeArtifact(flags.out, draft, { replace: flags.force }));
  if (flags.json) printJson({ out: flags.out, manifest, margins: margins.map(marginJson) });
  else print(`${summary(flags.out, manifest)}${marginsText(margins)}`);
}

function marginJson({ maxQualityLoss, certified, casesNeeded }: CertifiableMargin) {
  return {
    max_quality_loss: maxQualityLoss,
    escalation_rate: certified?.escalationRate ?? null,
    threshold: certified?.threshold ?? null,
    cases_needed: casesNeeded ?? null,
  };
}

/** What other margins would give, and how many labelled cases a tighter one would take. */
function marginsText(margins: readonly CertifiableMargin[]): string {
  if (margins.length === 0) return '';
  const rows = margins.map(({ maxQualityLoss, certified, casesNeeded }) => [
    String(maxQualityLoss),
    certified ? `${(100 * certified.escalationRate).toFixed(1)} %` : '-',
    certified ? 'enough' : (casesNeeded?.toString() ?? 'no reasonable number'),
  ]);
  return `\n${textTable([['loss at most', 'escalates', 'calibration cases needed'], ...rows])}\n`;
}

function ladderOf({ manifest }: ArtifactFiles, { cheap, strong }: Flags): Rung[] {
  const { ladder } = manifest;
  if (cheap === undefined && strong === undefined) return ladder;
  if (ladder.length !== 2) {
    throw new PlimsollError(
      'invalid-input',
      `--cheap and --strong fit two candidates; ${manifest.name} has ${ladder.length}.`,
    );
  }
  const [first, second] = ladder as [Rung, Rung];
  return [
    { ...first, model: cheap ?? first.model },
    { ...second, model: strong ?? second.model },
  ];
}

interface Shared {
  readonly calibration: readonly Case[];
  readonly sealed: readonly Case[];
}

/**
 * Shared out by the artifact's own seed: the test part stays sealed, so that a gate has something left to judge on. What the artifact
 * has learned from is left out of both, but for the questions of its own calibration part.
 */
function sharedOut({ cases }: LoadedCases, { manifest, seenQuestions: marks }: ArtifactFiles): Shared {
  const { train, calibration, test } = splitByKey(cases, DEFAULT_SHARES, manifest.split.seed);
  const seen = seenQuestions(marks);
  const fresh = partBySeen(train, seen).unseen;
  const sealed = partBySeen(test, seen).unseen;
  const learned = train.length - fresh.length + test.length - sealed.length;
  const left = learned > 0 ? `, ${learned} are left out: ${manifest.name} has seen their questions` : '';
  const used = [...fresh, ...calibration];
  process.stderr.write(`${used.length} cases calibrate, ${sealed.length} stay sealed for the gate${left}\n`);
  return { calibration: used, sealed };
}
