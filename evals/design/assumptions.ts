import type { QualityRow } from './qualities.ts';
import type { QualityEstimate, Spread } from './quality-estimates.ts';
import { apgrOf } from './search.ts';
import type { DesignOptions } from './types.ts';

interface Assumed {
  readonly options: DesignOptions;
  readonly estimated: readonly QualityEstimate[];
  readonly spread: Spread;
  readonly rows: readonly QualityRow[];
  /** That qualities and losses are forecast for. */
  readonly requests: number;
}

/** Everything that the figures rest on and nobody has measured on this traffic, a sentence each. */
export function assumptionsOf({ options, estimated, spread, rows, requests }: Assumed): readonly string[] {
  const { mix, models, priors, margin, table } = options;
  const { delta, unrecognised } = priors.ranking;
  const percent = (share: number) => `${Math.round(100 * share)} %`;
  const figure = (value: number) => value.toFixed(2);
  const own = new Set(
    rows.filter(({ source }) => source === undefined).map(({ model, task }) => `${model}\n${task}`),
  );
  const isCostMeasured = mix.tasks.some(({ task }) =>
    models.some(
      (model) =>
        model.isPriceStated !== true &&
        rows.some(
          (row) =>
            row.model === model.name &&
            row.task === task &&
            row.source === undefined &&
            row.costUsd !== undefined,
        ),
    ),
  );
  const elsewhere = estimated.filter(({ from }) => from !== 'measured').length;
  const otherTasks = estimated.filter(({ from }) => from === 'other-tasks').length;
  return [
    mixSentence(options),
    ...mix.notes,
    own.size === 0
      ? `No quality was measured on this traffic: all are from ${table}.`
      : `Qualities are from ${table}; one with few requests is drawn to what its task and its model let expect. Models with equally many requests of a task were measured on the same ones.`,
    `Quality and loss are of ${requests.toLocaleString('en')} requests drawn from the mix: the fewer there are, the more chance adds to the intervals. Those by task are of the long run.`,
    ...(elsewhere === 0
      ? []
      : [
          `${elsewhere} of ${estimated.length} qualities are from other requests than these. Your traffic is taken to be one more data set: as hard or easy as sets differ (standard deviation ${figure(spread.difficulty)} of the log odds, shared by all models), and a model better or worse on it than elsewhere (${figure(spread.model)}). Most of the intervals is this.`,
        ]),
    ...(otherTasks === 0
      ? []
      : [
          `${otherTasks} of ${estimated.length} are from other tasks alone, because the table has none of that model on that task.`,
        ]),
    `The router ranks requests as cross-validated routers did in public sets. Within a task (${priors.ranking.delta.pairs} pairs of models): APGR ${apgrOf(delta.mean).toFixed(2)}, 95 % between ${apgrOf(Math.max(0, delta.mean - 1.96 * delta.sd)).toFixed(2)} and ${apgrOf(delta.mean + 1.96 * delta.sd).toFixed(2)} (random .50). Between tasks (${priors.ranking.unrecognised.pairs} pairs): for ${percent(unrecognised.mean)} of the requests it does not recognise the task (standard deviation between pairs ${percent(unrecognised.sd)}).`,
    'What is hard for one model is hard for the others in the same order; expected losses of a task are log-normal.',
    isCostMeasured
      ? 'Costs are those measured on the labelled requests. Of one task the requests that are escalated are as long as the others.'
      : 'Costs are tokens at list prices, without caches and discounts: every model writes replies of the same length unless the table says otherwise, and of one task the requests that are escalated are as long as the others.',
    `The policy loses half the margin (${Number((margin / 2).toPrecision(3))}); the gate's bound needs the other half.`,
    `Labels are 0 or 1, and a cheaper model alone is right ${figure(priors.agreement.mean)} times as often as if models failed independently (${figure(priors.agreement.low)} to ${figure(priors.agreement.high)} in nine of ten pairs in public sets). 60 % train, 40 % are sealed, and it is the gate's first look. Judges are not in the cost.`,
  ];
}

function mixSentence({ mix }: DesignOptions): string {
  if (mix.from === 'shares') return 'The mix is as stated; tomorrow’s is the same.';
  const of = mix.from === 'cases' ? 'labelled cases' : 'recorded requests';
  return `The mix is that of ${mix.requests?.toLocaleString('en')} ${of}; tomorrow’s is the same. Its sampling error is not in the intervals.`;
}
