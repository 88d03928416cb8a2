import { Command } from 'commander';
import { givenOutcomes } from '../../evals/cases/index.ts';
import { textTable } from '../../evals/format.ts';
import { artifactName, calibrate } from '../../evals/lifecycle/index.ts';
import type { CertifiableMargin } from '../../evals/threshold/index.ts';
import {
  assertWritable,
  type Manifest,
  readArtifact,
  resolveArtifact,
  writeArtifact,
} from '../../router/artifact/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { uninterrupted } from '../../router/files/index.ts';
import { addDataFlags, type DataFlags, loadData } from '../data-flags.ts';
import { addThresholdFlags, type ThresholdFlags, thresholdRule } from '../learning-flags.ts';
import { print, printJson, printNotes, showProgress } from '../terminal.ts';
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
The classifier's weights stay; Platt scaling is fitted anew, and so is the threshold. With --max-quality-loss that is a preview: the
gate finds the one that serves. The cases are split by question with the artifact's seed: 40 % stay sealed for the gate. Questions that
the artifact has learned from are left out, so its own training data give nothing to calibrate on.

Example:
  plimsoll calibrate --artifact models/starter --data labelled.jsonl --cheap gpt-4o-mini --strong gpt-4o --out models/mine
`,
    )
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  const { out, force, allowHub } = flags;
  const rule = thresholdRule(flags);
  const name = artifactName(out);
  const artifact = readArtifact(resolveArtifact(flags.artifact));
  const models = modelsFrom(flags, artifact.manifest);
  const ladder = artifact.manifest.ladder.map((rung, i) => ({ ...rung, model: models[i] ?? rung.model }));
  const given = givenOutcomes(ladder);
  assertWritable(out, { replace: force });
  const { draft, margins } = await calibrate(artifact, await loadData(flags, models, {}, given), {
    models,
    rule,
    name,
    allowHub,
    onProgress: showProgress(),
    onNotes: printNotes,
  });
  const manifest = uninterrupted(() => writeArtifact(out, draft, { replace: force }));
  if (flags.json) printJson({ out, manifest, margins: margins.map(marginJson) });
  else print(`${summary(out, manifest)}${marginsText(margins)}`);
}

function modelsFrom({ cheap, strong }: Flags, { name, ladder }: Manifest): string[] {
  const models = ladder.map(({ model }) => model);
  if (cheap === undefined && strong === undefined) return models;
  if (models.length === 2) return models.map((model, i) => [cheap, strong][i] ?? model);
  throw new PlimsollError(
    'invalid-input',
    `--cheap and --strong fit two candidates; ${name} has ${ladder.length}.`,
  );
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
  const table = textTable([['loss at most', 'escalates', 'cases for a threshold'], ...rows]);
  return `\n${table}\nCases for a threshold are those to calibrate on: "enough" says nothing of the gate, which needs its own.\n`;
}
