import { formatCost, formatCount, formatLoss, formatRate, oneLine, textTable } from '../format.ts';
import type { Design, Expected } from './types.ts';

/** The design for a terminal; its first sentence is for whoever decides. */
export function designText(design: Design): string {
  const sections = [
    design.sentence,
    textTable(ladderRows(design)),
    textTable(singleRows(design)),
    mixLine(design),
    textTable(taskRows(design)),
    labelsSentence(design),
    `What this rests on:\n${design.assumptions.map((one) => `- ${one}`).join('\n')}`,
  ];
  return `${sections.map((text) => text.split('\n').map(oneLine).join('\n')).join('\n\n')}\n`;
}

/** The proposal: what escalating this share comes to. */
export function ladderRows({ ladder, policy, saved }: Design): string[][] {
  return [
    ['proposed', 'expected', '95 % interval'],
    ...ladder.map(({ candidate, model, share }) => [`${candidate}: ${model}`, formatRate(share), '']),
    ['escalated', formatRate(policy.escalation_rate), ''],
    [
      'cost of 1,000, once gated',
      formatCost(policy.cost_usd.expected),
      interval(policy.cost_usd, formatCost),
    ],
    ['saved, once gated', formatRate(saved.expected), interval(saved, formatRate)],
    ['quality at this share', formatRate(policy.quality.expected), interval(policy.quality, formatRate)],
    [
      'quality loss at this share',
      formatLoss(policy.quality_loss.expected),
      interval(policy.quality_loss, formatLoss),
    ],
    ['quality above the best mix', formatLoss(policy.above_best_mix), ''],
  ];
}

export function singleRows({ single_models }: Design): string[][] {
  return [
    ['one model alone', 'cost of 1,000', 'quality', '95 % interval', 'loss', '95 % interval'],
    ...single_models.map(({ model, cost_usd, quality, quality_loss: loss }) => [
      model,
      formatCost(cost_usd),
      formatRate(quality.expected),
      interval(quality, formatRate),
      formatLoss(loss.expected),
      interval(loss, formatLoss),
    ]),
  ];
}

export function taskRows({ mix, ladder, qualities }: Design): string[][] {
  return [
    ['task', 'share', ...ladder.map(({ model }) => model), 'from'],
    ...mix.tasks.map(({ task, share }) => {
      const those = ladder.map(
        ({ model }) => qualities.find((one) => one.task === task && one.model === model)!,
      );
      return [
        task,
        formatRate(share),
        ...those.map(({ quality }) => `${formatRate(quality.expected)} (${interval(quality, formatRate)})`),
        [...new Set(those.map(({ from, n }) => (n > 0 ? `${from}, n ${formatCount(n)}` : from)))].join('; '),
      ];
    }),
  ];
}

export function labelsSentence({ labels, margin, confidence, strongest }: Design): string {
  const { needed, sealed, calls, cost_usd: usd, lost, gained } = labels;
  if (needed === null) {
    return `Labels: more than can be planned for a margin of ${margin} at confidence ${confidence}. Allow more.`;
  }
  return `Labels: about ${formatCount(needed)} requests, of which ${formatCount(sealed)} are sealed for the gate: ${formatCount(calls)} calls for $${usd!.toFixed(2)}. That certifies a loss of ${margin} at confidence ${confidence} if the policy does worse than ${strongest} on ${formatRate(lost)} of the requests and better on ${formatRate(gained)}.`;
}

function mixLine({ best_mix }: Design): string {
  const corners = best_mix.map(({ cost_usd, quality }) => `${formatCost(cost_usd)} ${formatRate(quality)}`);
  return `Best mix of single models at random, cost of 1,000 and quality: ${corners.join(', ')}.`;
}

function interval({ low, high }: Expected, format: (value: number) => string): string {
  return `${format(low)} to ${format(high)}`;
}
