import type { Manifest } from '../../router/artifact/index.ts';

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
      ? `certified to lose at most ${chosenBy.target} with confidence ${chosenBy.confidence}`
      : 'an estimate that promises nothing';
  return `${parts.join(', ')}; ${promise}, on ${expected.n} calibration cases`;
}

function percent(rate: number): string {
  return `${(100 * rate).toFixed(1)} %`;
}
