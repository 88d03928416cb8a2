import { isWalked, type Manifest } from '../../router/artifact/index.ts';
import { signalGaps } from '../../router/cascade/index.ts';
import { mean } from '../../router/statistics/index.ts';
import type { Case } from '../cases/index.ts';
import { measureRanking } from '../gate/index.ts';
import { predictedLosses } from '../threshold/index.ts';
import { pairedQuality } from './calibration.ts';

interface Measured {
  readonly cases: readonly Case[];
  /** What the threshold is compared with (decisionScores), `[rung][case]`. */
  readonly scores: readonly Float64Array[];
  readonly quality: readonly Float64Array[];
}

/** Below this many cases a task's figures say nothing, and the task goes under "others". */
const FEWEST_OF_A_TASK = 30;

const LIMITS = [
  '- The figures hold for traffic like these cases. On other traffic the ranking may be no better than chance: `plimsoll assess` on your own labelled cases tells.',
  '- The probabilities are of the models above. Behind another model the router is stale, and says so.',
  '- What the gate says of it stands in `verdict.json`, beside this card; without a PASS there it does not serve.',
  '- What it reads is words and shape: it cannot see that a short everyday sentence hides a hard question.',
].join('\n');

const JUDGE =
  " The reply's judge: the same regression over these logits and the signals of the reply, one head for either model and one for which of the two is better; the limit on the prompt is where these cases cost least.";

const CASCADE_LIMITS = LIMITS.replace(
  / What it reads is words and shape: .*$/,
  ' What it knows of a reply are its signals: a reply that is wrong, fluent and sure of itself passes. Where a provider gives other signals than these cases have, it judges worse. A signal beyond what these replies had counts as the furthest of theirs.',
);

function cascadeLimits(manifest: Omit<Manifest, 'files'>): string {
  return [CASCADE_LIMITS, ...signalGaps(manifest).map((note) => `- ${note}`)].join('\n');
}

/** The model card of an artifact: what it learned, from what, how well, and what it cannot promise. Markdown. */
export function modelCard(manifest: Omit<Manifest, 'files'>, measured: Measured, notes = ''): string {
  const { policy, split, metrics, data } = manifest;
  const sections = [
    `# ${manifest.name}`,
    `A Plimsoll router of ${manifest.created.slice(0, 10)}. ${howItDecides(manifest)} ${whichThreshold(policy)}`,
    '## What it learned',
    ladderTable(manifest),
    `Encoder \`${manifest.encoder.id}\`, ${manifest.features.length} structural features${manifest.classifier.structural_scale === undefined ? '' : ` (scaled by ${manifest.classifier.structural_scale})`}, L2-regularised logistic regression (lambda ${manifest.classifier.lambda}), one head a candidate, Platt scaling.${learnerSentences(manifest.classifier)}${abstainSentence(manifest.classifier)}${manifest.cascade === undefined ? '' : JUDGE} ${split.train.n} cases to train, ${split.calibration === undefined ? '' : `${split.calibration.n} to calibrate, `}${split.test.n} sealed for the gate; split by question, seed ${split.seed}.`,
    '## From which data',
    data.files
      .map(({ file, rows, sha256 }) => `- \`${file}\`: ${rows} rows, sha256 \`${sha256.slice(0, 16)}…\``)
      .join('\n'),
    `${data.rejected} rows were rejected, ${data.excluded} left out. Quality field: \`${data.quality_field}\`.`,
    `## How well, on the ${split.calibration === undefined ? 'training' : 'calibration'} cases`,
    `${split.calibration === undefined ? 'Each case is scored by a fit that had not seen it, and all of them set the Platt parameters.' : 'These cases set the Platt parameters.'} The figures are a little kind; those of the gate are of other cases. n = ${metrics?.n ?? 0}.`,
    metrics ? metricsLines(metrics) : 'Nothing was measured.',
    `At ${policy.threshold.toFixed(4)}: ${expectationSentence(policy)}.`,
    expectedLossSentence(manifest),
    taskTable(manifest, measured),
    '## Limits',
    manifest.cascade === undefined ? LIMITS : cascadeLimits(manifest),
    notes.trim(),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function expectedLossSentence({ expected_loss: line }: Omit<Manifest, 'files'>): string {
  if (line === undefined) return '';
  return `Expected loss of the cheapest candidate: ${line.intercept.toFixed(3)} + ${line.slope.toFixed(3)} * predicted loss. Thresholds are of the predicted loss.`;
}

const LEARNERS = {
  'lr+knn':
    'The probability is the plain mean of its own and the mean quality of the 100 nearest training cases.',
  'lr+clusters': 'Soft memberships in 64 clusters of the training texts are further columns.',
  'lr+clusters+knn':
    'Soft memberships in 64 clusters of the training texts are further columns, and the probability is the plain mean of its own and the mean quality of the 100 nearest training cases.',
} as const;

/** Nothing where there is no more to it than the regression, and nothing was compared. */
function learnerSentences({ learner, compared = [] }: Manifest['classifier']): string {
  const what = learner === undefined ? '' : ` ${LEARNERS[learner]}`;
  if (compared.length === 0) return what;
  const losses = compared.map((one) => `${one.learner} ${one.log_loss.toFixed(4)}`).join(', ');
  return `${what} Chosen by cross-validated log loss: ${losses}.`;
}

/** Nothing if every request is scored. */
function abstainSentence({ abstain, similarity_limit: limit }: Manifest['classifier']): string {
  if (abstain === undefined || limit === undefined) return '';
  return ` A request whose nearest labelled case has a similarity below ${limit.similarity.toFixed(3)}, as ${limit.percent} % of the training cases have to those of other folds, goes to the strongest candidate unscored.`;
}

/** The beginning of a sentence that a threshold ends. */
function howItDecides({ cascade, ladder }: Omit<Manifest, 'files'>): string {
  if (cascade === undefined)
    return 'It scores a request before any model is called and sends it to the cheapest candidate whose predicted loss is at most';
  const [cheap, ...others] = ladder.map(({ candidate }) => candidate);
  const strong = others.at(-1);
  if (cascade.middle !== undefined)
    return `It scores a request before any model is called, and leaves out the candidates whose reply is not worth asking for. The others below ${strong} reply one after the other, cheapest first, and each reply is judged; ${strong} replies if none passes. A reply goes out if its predicted loss is at most`;
  return `It scores a request before any model is called: where a reply of ${cheap} is not worth asking for, the request goes straight to ${strong}. Else ${cheap} replies, the reply is judged, and it goes out if its predicted loss is at most`;
}

/** A policy that promises quality is served at the threshold that the gate finds; any other at its own. */
function whichThreshold(policy: Manifest['policy']): string {
  const shown = policy.threshold.toFixed(4);
  return isWalked(policy)
    ? `a threshold. The gate finds the one that serves; ${shown} is a preview, from the cases below.`
    : `${shown}.`;
}

/** The threshold of a policy, and whether it is more than a preview of what the gate will find. */
export function thresholdWords(policy: Manifest['policy']): string {
  const shown = `threshold ${policy.threshold.toFixed(4)}`;
  return isWalked(policy) ? `preview of the ${shown}` : shown;
}

/** What a threshold is expected to do, with its bounds, and whether that is certified. */
export function expectationSentence({ chosen_by: chosenBy, expected }: Manifest['policy']): string {
  if (expected === undefined) return 'nothing is known of what it does';
  const { escalation_rate_bounds: rate, quality_loss_bounds: loss, cost_saved_interval: saved } = expected;
  const parts = [
    `escalates ${percent(expected.escalation_rate)} (${percent(rate.lower)} to ${percent(rate.upper)})`,
    `mean quality loss ${expected.quality_loss.toFixed(4)} (${loss.lower.toFixed(4)} to ${loss.upper.toFixed(4)})`,
    ...(expected.cost_saved === undefined
      ? []
      : [
          `cost saved against always-strong ${percent(expected.cost_saved)}${saved ? ` (${percent(saved.lower)} to ${percent(saved.upper)})` : ''}`,
        ]),
  ];
  const promise =
    chosenBy.rule === 'max-quality-loss'
      ? `expected to lose at most ${chosenBy.target}, at a confidence of ${chosenBy.confidence}`
      : 'an estimate that promises nothing';
  return `${parts.join(', ')}; ${promise}, on ${expected.n} cases`;
}

function ladderTable({ ladder }: Pick<Manifest, 'ladder'>): string {
  const rows = ladder.map(({ candidate, model }) => `| ${candidate} | ${model} |`);
  return ['| candidate, cheapest first | learned from |', '|---|---|', ...rows].join('\n');
}

function metricsLines(metrics: NonNullable<Manifest['metrics']>): string {
  const interval = metrics.apgr_interval;
  const range = interval ? ` (95 % interval ${interval.low.toFixed(3)} to ${interval.high.toFixed(3)})` : '';
  const heads = Object.keys(metrics.brier).map(
    (name) =>
      `- head ${name}: AUROC ${figure(metrics.auroc[name])}, Brier ${figure(metrics.brier[name])}, ECE ${figure(metrics.ece[name])}`,
  );
  return [
    `- APGR ${figure(metrics.apgr)}${range}; random .500`,
    `- CPT50 ${figure(metrics.cpt50)}, CPT80 ${figure(metrics.cpt80)}; random .500 and .800`,
    ...heads,
  ].join('\n');
}

function taskTable({ ladder }: Pick<Manifest, 'ladder'>, measured: Measured): string {
  const rows = [...rowsByTask(measured.cases)].map(([task, at]) => taskRow(task, at, measured));
  const heading = `| task | n | ${ladder[0]?.candidate} | ${ladder.at(-1)?.candidate} | APGR |`;
  return [heading, '|---|---:|---:|---:|---:|', ...rows].join('\n');
}

function taskRow(task: string, rows: readonly number[], { scores, quality }: Measured): string {
  const pick = (columns: readonly Float64Array[]) =>
    columns.map((column) => Float64Array.from(rows, (row) => column[row]!));
  const outcomes = pairedQuality(pick(quality));
  const { apgr } = measureRanking(predictedLosses(pick(scores)), outcomes);
  return `| ${task} | ${rows.length} | ${figure(mean(outcomes.cheapQuality))} | ${figure(mean(outcomes.strongQuality))} | ${figure(apgr)} |`;
}

/** Task -> its cases' indices, by name; small tasks together, last. */
function rowsByTask(cases: readonly Case[]): Map<string, number[]> {
  const all = new Map<string, number[]>();
  cases.forEach(({ task = 'no task' }, row) => {
    all.set(task, [...(all.get(task) ?? []), row]);
  });
  const entries = [...all].sort(([a], [b]) => (a < b ? -1 : 1));
  const others = entries.filter(([, rows]) => rows.length < FEWEST_OF_A_TASK).flatMap(([, rows]) => rows);
  const large = new Map(entries.filter(([, rows]) => rows.length >= FEWEST_OF_A_TASK));
  return others.length > 0 ? large.set('others', others) : large;
}

function figure(value: number | undefined): string {
  return value === undefined ? '-' : value.toFixed(3);
}

function percent(rate: number): string {
  return `${(100 * rate).toFixed(1)} %`;
}
