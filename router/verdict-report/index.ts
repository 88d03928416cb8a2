/** A verdict for people, in words and pictures: what reports and the dashboard both say about it. */

export {
  type BaselineRow,
  type ComparedEvidence,
  type Curve,
  comparedEvidenceSchema,
  type Evidence,
  evidenceSchema,
} from './evidence.ts';
export { confidenceWords, costOfThousand, count, percent, points } from './figures-in-words.ts';
export { type ChartPoint, chartScale, type QualityChart, qualityChart } from './quality-chart.ts';
export { reportStyle } from './style.ts';
export { type AnyVerdict, readEvidence, verdictSummary } from './summary.ts';
export { unbroken, VERDICT_SIGNS, verdictSections } from './verdict-sections.ts';
