import type { LabelCount, LabelSurvey } from '../../router/grading/index.ts';
import { mean } from '../../router/statistics/index.ts';
import type { CanonicalRow } from '../cases/index.ts';
import { hasReplies, qualityOf } from './sample.ts';

/** Who labelled the replies of cases, and what these replies cost. Outcomes of other models are left out. */
export function surveyOf(
  rows: readonly CanonicalRow[],
  candidates: readonly string[],
): Omit<LabelSurvey, 'calls'> {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const cases = [...byId.values()];
  const isLabelled = (row: CanonicalRow) => candidates.every((name) => qualityOf(row, name) !== undefined);
  const replies = cases.filter((row) => hasReplies(row, candidates));
  return {
    cases: cases.length,
    reviewable: replies.length,
    withoutReplies: cases.filter((row) => isLabelled(row) && !hasReplies(row, candidates)).length,
    counts: candidates.flatMap((model) => countsOf(cases, model)),
    spent: spentOn(cases, candidates),
  };
}

function countsOf(cases: readonly CanonicalRow[], model: string): LabelCount[] {
  const qualities = new Map<string | undefined, number[]>();
  for (const row of cases) {
    const quality = qualityOf(row, model);
    if (quality === undefined) continue;
    const source = sourceOf(row, model);
    const known = qualities.get(source);
    if (known === undefined) qualities.set(source, [quality]);
    else known.push(quality);
  }
  return [...qualities].map(([source, all]) => ({
    source,
    model,
    labels: all.length,
    meanQuality: mean(all),
  }));
}

/** Who gave the label, if the case says so. */
export function sourceOf({ outcomes }: CanonicalRow, model: string): string | undefined {
  const source = Object.hasOwn(outcomes, model) ? outcomes[model]?.['label_source'] : undefined;
  return typeof source === 'string' ? source : undefined;
}

function spentOn(cases: readonly CanonicalRow[], candidates: readonly string[]): LabelSurvey['spent'] {
  const outcomes = cases.flatMap((row) =>
    candidates.flatMap((model) => (Object.hasOwn(row.outcomes, model) ? [row.outcomes[model]!] : [])),
  );
  const costs = outcomes.flatMap(({ cost_usd: usd }) => (typeof usd === 'number' ? [usd] : []));
  return {
    usd: costs.reduce((sum, usd) => sum + usd, 0),
    known: costs.length,
    outcomes: outcomes.length,
  };
}
