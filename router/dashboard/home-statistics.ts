import { type Html, html, type Part } from '../markup.ts';
import { clopperPearsonInterval } from '../statistics/index.ts';
import type { Certified } from './certified.ts';
import { count, DASH, duration, percent, score, usd } from './format.ts';
import type { HomeFigures, Quantiles } from './home-figures.ts';
import { table } from './table.ts';

const DELTA = 0.05;

/** The same figures with what they rest on; folded at first. */
export function statistics(figures: HomeFigures, proof: Certified): Html {
  return html`<details class="statistics"><summary>The statistics</summary>
<div class="stack">
${block('By profile', profileTable(figures))}
${block('By model', modelTable(figures))}
${block('Why a model was chosen', shareTable('Reason', figures.reasons))}
${block('What decisions may claim', shareTable('Verdict', figures.verdicts))}
${block('Time', timeTable(figures))}
${block('The proof', proofTable(proof))}
</div>
<p class="muted">Intervals of shares are those of Clopper and Pearson at 95 %, as if requests were independent. Times are read from buckets, each within 4.5 %. Costs of the strongest model and of a random choice are estimates: they take the tokens of the reply that was given, and the shares of the ladder so far.</p>
</details>`;
}

function block(title: string, content: Part): Html {
  return html`<section><h3>${title}</h3>${content}</section>`;
}

function interval(successes: number, n: number): string {
  if (n === 0) return DASH;
  const { low, high } = clopperPearsonInterval(successes, n, DELTA);
  return `${percent(low)} to ${percent(high)}`;
}

function profileTable({ profiles }: HomeFigures): Html {
  const rows = profiles.map(({ profile, keptCheap, escalated, savings }) => {
    const routed = keptCheap + escalated;
    return [
      profile === '' ? 'none' : profile,
      count(routed),
      percent(escalated / routed),
      interval(escalated, routed),
      usd(savings?.paid),
      usd(savings?.strong),
      usd(savings?.random),
    ];
  });
  return table(
    'By profile',
    ['Profile', 'Routed', 'Escalated', '95 % interval', 'Paid', 'Always strongest', 'Random'],
    rows,
  );
}

function modelTable({ models }: HomeFigures): Html {
  const all = models.reduce((sum, { replies }) => sum + replies, 0);
  const rows = models.map(({ model, replies, spent }) => [
    model,
    count(replies),
    percent(replies / all),
    usd(spent),
  ]);
  return table('By model', ['Model', 'Replies', 'Share', 'Paid'], rows);
}

function shareTable(name: string, counts: readonly (readonly [string, number])[]): Html {
  const all = counts.reduce((sum, [, n]) => sum + n, 0);
  return table(
    name,
    [name, 'Requests', 'Share'],
    counts.map(([label, n]) => [label, count(n), percent(n / all)]),
  );
}

function timeTable({ added, total }: HomeFigures): Html {
  const row = (name: string, times: Quantiles | undefined) => [
    name,
    count(times?.n),
    duration(times?.p50),
    duration(times?.p95),
  ];
  return table(
    'Time',
    ['What', 'n', 'p50', 'p95'],
    [row('Added by Plimsoll', added), row('Whole reply', total)],
  );
}

function proofTable({ verdict }: Certified): Html {
  if (verdict === undefined) return html`<p>There is no verdict of this artifact to read.</p>`;
  const rows = verdict.conditions.map(
    ({ name, value, bounds, limits, n, confidence, method, verdict: word }) => [
      name,
      score(value),
      `${score(bounds.lower)} to ${score(bounds.upper)}`,
      limitWords(limits),
      count(n),
      percent(confidence, 1),
      method,
      word,
    ],
  );
  return table(
    'The proof',
    ['Condition', 'Value', 'Bounds', 'Limit', 'n', 'Confidence', 'Method', 'Verdict'],
    rows,
  );
}

function limitWords({
  min,
  max,
}: {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}): string {
  return (
    [min === undefined ? [] : `at least ${min}`, max === undefined ? [] : `at most ${max}`]
      .flat()
      .join(', ') || DASH
  );
}
