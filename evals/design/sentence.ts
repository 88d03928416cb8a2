import type { Design } from './types.ts';

/** For a manager: what it saves, what it loses, what it costs to find out. */
export function sentenceOf({
  advice,
  margin,
  strongest,
  ladder,
  policy,
  saved,
  labels,
}: Pick<Design, 'advice' | 'margin' | 'strongest' | 'ladder' | 'policy' | 'saved' | 'labels'>): string {
  const percent = (share: number) => `${Math.round(100 * share)} %`;
  const range = `${percent(saved.expected)} (${percent(saved.low)} to ${percent(saved.high)}) of the bill of ${strongest} alone`;
  if (advice === 'keep') {
    return `Routing is not expected to pay: it would save ${range} within a loss of ${margin}.`;
  }
  const needed =
    labels.needed === null
      ? 'no reasonable number of labels would prove it'
      : `to find out takes about ${labels.needed.toLocaleString('en')} labelled requests, $${labels.cost_usd!.toFixed(labels.cost_usd! < 10 ? 2 : 0)} of model calls`;
  const what =
    advice === 'one-model'
      ? `${ladder[0]!.model} alone is expected to be good enough: it would save ${range}`
      : `Routing between ${ladder.map(({ model }) => model).join(', ')} would save ${range}`;
  return `${what} and lose about ${policy.quality_loss.expected.toFixed(3)} of quality, at most ${margin} once the gate has certified it; ${needed}.`;
}
