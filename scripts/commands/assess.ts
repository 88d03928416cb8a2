import { Command } from 'commander';
import { givenOutcomes } from '../../evals/cases/index.ts';
import { formatCost, formatLoss, formatRate, textTable } from '../../evals/format.ts';
import type { Ranking } from '../../evals/gate/index.ts';
import {
  type Assessment,
  assess,
  assessCascade,
  assessCascadeLadder,
  assessLadder,
  type CascadeAssessment,
  type CascadeLadderAssessment,
  type CascadeLadderPoint,
  type CascadeRow,
  type FixedBaseline,
  type LadderAssessment,
} from '../../evals/lifecycle/index.ts';
import { addDataFlags, type DataFlags, loadData } from '../data-flags.ts';
import { usage, wholeNumberBetween } from '../flags.ts';
import {
  addLearnerFlag,
  type CandidateFlags,
  candidatesFrom,
  encoderId,
  type LearnerFlag,
} from '../learning-flags.ts';
import { addPeopleFlag, type PeopleFlag, rungsFrom } from '../people-flag.ts';
import { print, printJson, showProgress } from '../terminal.ts';

interface Flags extends DataFlags, CandidateFlags, PeopleFlag, LearnerFlag {
  readonly cascade: boolean;
  readonly folds: number;
  readonly seed: number;
  readonly encoder: string;
  readonly allowHub: boolean;
  readonly json: boolean;
}

export function assessCommand(): Command {
  return addPeopleFlag(addLearnerFlag(addDataFlags(new Command('assess'))))
    .option('--cheap <model>', 'the cheap model, as the data name it')
    .option('--strong <model>', 'the strong model')
    .option(
      '--ladder <models>',
      'in place of both: two or more models, cheapest first, with commas between; compared at equal cost',
    )
    .option(
      '--cascade',
      'the cheap model replies first, and its reply is judged, as is that of every model of a ladder but the strongest: needs answer, confidence_logprob or signals in their outcomes',
      false,
    )
    .option('--folds <k>', 'folds of the cross-validation', wholeNumberBetween(3, 50), 5)
    .option('--seed <n>', 'seed of the folds', wholeNumberBetween(0, 2 ** 31 - 1), 1)
    .option(
      '--encoder <id>',
      'static, minilm or transformers:<folder or hub name>',
      usage(encoderId),
      'static',
    )
    .option('--allow-hub', 'let a transformers encoder fetch its model from the hub', false)
    .option('--json', 'print the result as JSON', false)
    .addHelpText('after', EXAMPLES)
    .action(run);
}

const EXAMPLES = `
Example:
  plimsoll assess --data labelled.csv --cheap gpt-4o-mini --strong gpt-4o --json
  plimsoll assess --data labelled.csv --ladder gpt-4o-nano,gpt-4o-mini,gpt-4o
  plimsoll assess --data labelled.jsonl --cheap gpt-4o-mini --strong gpt-4o --cascade
  plimsoll assess --data labelled.jsonl --ladder llama3.1-8b,llama3.1-70b,llama3.1-405b --cascade
`;

async function run(flags: Flags): Promise<void> {
  const models = candidatesFrom(flags);
  const { folds, seed, learner, encoder, allowHub, qualityField } = flags;
  const given = givenOutcomes(rungsFrom(models, flags));
  const data = await loadData(flags, models, { keepReplies: flags.cascade }, given);
  const options = { folds, seed, learner, encoder, allowHub, onProgress: showProgress() };
  const measured = {
    quality_field: qualityField,
    folds,
    seed,
    data: data.files.map(({ file, sha256, rows }) => ({ file, sha256, rows })),
    rejected: data.rejectedCount,
    excluded: data.excluded.missingOutcome,
    duplicates: data.excluded.duplicates,
  };
  if (flags.ladder !== undefined && flags.cascade) {
    const { n, encoder: id, ...figures } = await assessCascadeLadder(data, { ...options, models });
    if (flags.json) printJson({ n, ladder: models, encoder: id, ...measured, ...figures });
    else printCascadeLadder({ n, encoder: id, ...figures });
    return;
  }
  if (flags.ladder !== undefined) {
    const { n, encoder: id, ...figures } = await assessLadder(data, { ...options, models });
    if (flags.json) printJson({ n, ladder: models, encoder: id, ...measured, ...figures });
    else printLadder({ n, encoder: id, ...figures });
    return;
  }
  const [cheap, strong] = models as [string, string];
  if (flags.cascade) {
    const { n, encoder: id, ...figures } = await assessCascade(data, { ...options, models: [cheap, strong] });
    if (flags.json) printJson({ n, cheap, strong, encoder: id, ...measured, ...figures });
    else printCascade({ n, cheap, strong, encoder: id, ...figures });
    return;
  }
  const { n, encoder: id, ...figures } = await assess(data, { ...options, models: [cheap, strong] });
  const { quality_field, ...rest } = measured;
  const report = { n, cheap, strong, quality_field, encoder: id, ...rest, ...figures };
  if (flags.json) printJson(report);
  else printReport(report);
}

function printReport(report: Assessment & { cheap: string; strong: string }): void {
  const { baselines, quality } = report;
  const rows = [
    ['router', 'APGR', 'CPT50', 'CPT80', 'cost saved at 80 %'],
    rankingRow('learned (cross-validated)', report),
    rankingRow('nearest neighbours', baselines.knn),
    ...(baselines.plain ? [rankingRow('logistic regression alone', baselines.plain)] : []),
    ...(baselines.task_label ? [rankingRow('task label', baselines.task_label)] : []),
    rankingRow('prompt length', baselines.prompt_length),
    rankingRow('random', baselines.random),
    rankingRow('oracle (knows the answers)', baselines.oracle),
  ];
  const interval = report.apgr_interval;
  print(
    [
      `${report.n} cases; ${report.cheap} ${quality.cheap.toFixed(3)} -> ${report.strong} ${quality.strong.toFixed(3)}`,
      `always cheap:  ${fixedLine(baselines.always_cheap)}`,
      `always strong: ${fixedLine(baselines.always_strong)}`,
      '',
      textTable(rows),
      '',
      interval ? `APGR 95 % interval: ${interval.low.toFixed(3)} to ${interval.high.toFixed(3)}` : '',
      learnersLine(report.learners),
      ...[gainLine('logistic regression alone', report.gain_over_plain)].filter((line) => line !== undefined),
      ...Object.keys(report.brier).map(
        (model) =>
          `head ${model}: AUROC ${figure(report.auroc[model])}, Brier ${figure(report.brier[model])}, ECE ${figure(report.ece[model])}`,
      ),
      '',
      report.conclusion,
      '',
    ].join('\n'),
  );
}

function printCascade(report: CascadeAssessment & { cheap: string; strong: string }): void {
  const { baselines, quality, gains } = report;
  const rows: [string, CascadeRow | undefined][] = [
    ['cascade (cross-validated)', report],
    ['without log-probabilities', baselines.without_logprobs],
    ['log-probability alone', baselines.logprob_alone],
    ['verifier alone', baselines.verifier_alone],
    ['agreement alone', baselines.agreement_alone],
    ['prompt alone, before any call', baselines.prompt_alone],
    ['random', baselines.random],
    ['oracle (knows the answers)', baselines.oracle],
  ];
  const interval = report.apgr_interval;
  print(
    [
      `${report.n} cases; ${report.cheap} ${quality.cheap.toFixed(3)} -> ${report.strong} ${quality.strong.toFixed(3)}`,
      `known of the cheap replies: ${knownParts(report.known)}`,
      `always cheap:  ${fixedLine(baselines.always_cheap)}`,
      `always strong: ${fixedLine(baselines.always_strong)}`,
      `always both:   ${fixedLine(baselines.always_both)}`,
      '',
      textTable([
        [
          'escalates by',
          'APGR',
          ...report.at_loss.flatMap(({ max_loss }) => [`at loss ${max_loss}`, 'of 1,000']),
        ],
        ...rows.flatMap(([name, row]) =>
          row === undefined
            ? []
            : [
                [
                  name,
                  figure(row.apgr),
                  ...row.at_loss.flatMap(({ share_escalated, cost_usd }) => [
                    formatRate(share_escalated),
                    formatCost(cost_usd),
                  ]),
                ],
              ],
        ),
      ]),
      '',
      interval ? `APGR 95 % interval: ${interval.low.toFixed(3)} to ${interval.high.toFixed(3)}` : '',
      gainLine('the prompt alone', gains.prompt_alone),
      gainLine('log-probability alone', gains.logprob_alone),
      gainLine('the judge without log-probabilities', gains.without_logprobs),
      gainLine(
        'the prompt alone, without log-probabilities',
        baselines.without_logprobs.gain_over_prompt_alone,
      ),
      '',
      report.conclusion,
      '',
    ]
      .filter((line) => line !== undefined)
      .join('\n'),
  );
}

function printCascadeLadder({ n, single_models, ...report }: CascadeLadderAssessment): void {
  const models = single_models.map(({ model }) => model);
  const { baselines } = report;
  const ways: [string, readonly CascadeLadderPoint[]][] = [
    ['cascade', report.at_loss],
    ['without log-probabilities', baselines.without_logprobs],
    ...baselines.two_rungs.map(({ models: two, at_loss }): [string, readonly CascadeLadderPoint[]] => [
      `cascade of ${two.join(' -> ')}`,
      at_loss,
    ]),
    ['prompt alone, before any call', baselines.prompt_alone],
  ];
  print(
    [
      `${n} cases; ${models.join(' -> ')}`,
      ...Object.entries(report.known).map(
        ([model, known]) => `known of the replies of ${model}: ${knownParts(known)}`,
      ),
      '',
      singleModelTable(single_models),
      '',
      textTable([
        ['loss', 'decides by', 'cost of 1,000', 'saved', ...models],
        ...report.at_loss.flatMap(({ max_loss }, i) =>
          ways.map(([name, points]) => ladderRow(max_loss, name, points[i]!, models)),
        ),
      ]),
      '',
      learnersLine(report.learners),
      '',
      report.conclusion,
      '',
    ].join('\n'),
  );
}

function singleModelTable(models: LadderAssessment['single_models']): string {
  return textTable([
    ['single model', 'quality', 'cost of 1,000'],
    ...models.map(({ model, quality, cost_usd }) => [model, figure(quality), formatCost(cost_usd)]),
  ]);
}

/** Which parts of replies are known, and of how many. */
function knownParts(known: CascadeAssessment['known']): string {
  const there = Object.entries(known).filter(([, count]) => count > 0);
  return there.map(([part, count]) => `${part} ${count}`).join(', ');
}

function ladderRow(
  maxLoss: number,
  name: string,
  { cost_usd, saved_against_strong, shares }: CascadeLadderPoint,
  models: readonly string[],
): string[] {
  return [
    String(maxLoss),
    name,
    formatCost(cost_usd),
    formatRate(saved_against_strong),
    ...models.map((model) => formatRate(shares[model])),
  ];
}

function learnersLine(learners: Assessment['learners']): string {
  const counts = [...new Set(learners)].map(
    (learner) => `${learner} (${learners.filter((one) => one === learner).length})`,
  );
  return `learned, by folds: ${counts.join(', ')}`;
}

function gainLine(name: string, gain: Assessment['gain_over_plain']): string | undefined {
  if (gain === undefined) return undefined;
  return `APGR above ${name}: ${formatLoss(gain.difference)}, 95 % interval ${formatLoss(gain.low)} to ${formatLoss(gain.high)}`;
}

function printLadder({ n, single_models, points, ...report }: LadderAssessment): void {
  const interval = report.mean_excess_interval;
  print(
    [
      `${n} cases; ${single_models.map(({ model }) => model).join(' -> ')}`,
      '',
      singleModelTable(single_models),
      '',
      textTable([
        ['budget for 1,000', 'cost', 'routed', 'mix at that cost', 'above it', 'best two', 'which'],
        ...points.map((point) => [
          formatCost(point.budget_usd),
          formatCost(point.cost_usd),
          figure(point.quality),
          figure(point.mix_quality),
          formatLoss(point.excess),
          formatLoss(point.best_pair?.excess),
          point.best_pair?.models.join(', ') ?? '-',
        ]),
      ]),
      '',
      textTable([
        ['budget for 1,000', ...single_models.map(({ model }) => model)],
        ...points.map(({ budget_usd, shares }) => [
          formatCost(budget_usd),
          ...single_models.map(({ model }) => formatRate(shares[model])),
        ]),
      ]),
      '',
      `Above the mix, mean over the budgets: ${formatLoss(report.mean_excess)}, 95 % interval ${formatLoss(interval.low)} to ${formatLoss(interval.high)}`,
      '',
      report.conclusion,
      '',
    ].join('\n'),
  );
}

function rankingRow(name: string, { apgr, cpt50, cpt80, cost }: Ranking): string[] {
  return [name, figure(apgr), figure(cpt50), figure(cpt80), figure(cost?.gap80.saved_against_strong)];
}

function fixedLine({ quality, cost_usd }: FixedBaseline): string {
  return `quality ${quality.toFixed(3)}${cost_usd === undefined ? '' : `, $${cost_usd.toPrecision(3)} a case`}`;
}

/** Undefined stays visible as a dash. */
function figure(value: number | undefined): string {
  return value === undefined ? '-' : value.toFixed(3);
}
