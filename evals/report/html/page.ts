import type { Condition, GateVerdict, StoredVerdict } from '../../../router/artifact/index.ts';
import { type Evidence, verdictSections } from '../../../router/verdict-report/index.ts';
import { conditionRows, isWarning, noteLines } from '../condition-text.ts';
import {
  baselineRows,
  cascadeLines,
  formatConfidence,
  judgedBy,
  parseEvidence,
  rungRows,
} from '../verdict-text.ts';
import { escapeHtml, type Figure, figureHtml, htmlTable } from './markup.ts';
import { costCurveFigure, qualityCurveFigure } from './quality-curves.ts';
import { flipFigure, hardCaseFigure } from './robustness.ts';
import { reliabilityFigure, scoreFigure } from './scores.ts';
import { changesSection, downgradesSection, headSection, provenanceSection } from './sections.ts';
import { htmlPage } from './shell.ts';
import { sliceFigure } from './slices.ts';

export interface HtmlOptions {
  /** An earlier verdict, to show what has changed. */
  readonly previous?: StoredVerdict;
  /** Prompts by case id, for the table of silent downgrades: a page with them is as confidential as they are. */
  readonly texts?: ReadonlyMap<string, string>;
}

/**
 * The verdict as one page that needs no network and no script. The same verdict gives the same page, byte for byte.
 *
 * @throws PlimsollError `invalid-artifact`: the evidence is not what the gate writes
 */
export function htmlReport(verdict: GateVerdict, { previous, texts = new Map() }: HtmlOptions = {}): string {
  const evidence = parseEvidence(verdict);
  return htmlPage(
    `${verdict.verdict}: ${judgedBy(verdict).name}`,
    `${headSection(verdict, evidence)}
${verdictSections(verdict).text}
${conditionsSection(verdict)}
${previous ? changesSection(previous, verdict) : ''}
${savingsSection(evidence)}
${section('Where it loses', [sliceFigure(evidence, verdict.conditions), 'policy' in verdict ? scoreFigure(evidence, verdict.policy.threshold) : undefined])}
${downgradesSection(evidence, texts)}
${section('Hard cases and harmless edits', [hardCaseFigure(evidence, verdict.conditions), flipFigure(evidence, verdict.conditions)])}
${calibrationSection(evidence)}
${provenanceSection(verdict, evidence)}`,
  );
}

function conditionsSection({ conditions }: GateVerdict): string {
  const lines = [confidenceSentence(conditions), ...noteLines(conditions)];
  const notes = lines.map(
    (line) => `<p class="${isWarning(line) ? 'loud' : 'muted'}">${escapeHtml(line)}</p>`,
  );
  return `<section><h2>The conditions as a table</h2>${htmlTable('Conditions', conditionRows(conditions).map(verdictSecond))}${notes.join('\n')}</section>`;
}

/** A phone shows the first columns without scrolling. */
function verdictSecond(row: readonly string[]): string[] {
  return [...row.slice(0, 1), ...row.slice(-1), ...row.slice(1, -1)];
}

/** At which confidence each bound is: the one that most have, then the others with the conditions that have them. */
function confidenceSentence(conditions: readonly Condition[]): string {
  const names = new Map<string, string[]>();
  for (const { name, confidence } of conditions) {
    const level = formatConfidence(confidence);
    names.set(level, [...(names.get(level) ?? []), name]);
  }
  const [most, ...others] = [...names].sort(([, a], [, b]) => b.length - a.length);
  const exceptions = others.map(([level, of]) => `; ${level} for ${of.join(', ')}`);
  return `Each bound is one-sided, at a confidence of ${most![0]}${exceptions.join('')}.`;
}

function savingsSection(evidence: Evidence): string {
  return `<section><h2>Does routing pay?</h2>${[evidence.conclusion, ...cascadeLines(evidence)].map((line) => `<p>${escapeHtml(line)}</p>`).join('\n')}
${[qualityCurveFigure(evidence), costCurveFigure(evidence)].map(optionalFigure).join('\n')}
<h3>Rungs</h3>${htmlTable('Rungs', rungRows(evidence))}
<h3>Baselines</h3>${htmlTable('Baselines', baselineRows(evidence))}</section>`;
}

function calibrationSection({ heads }: Evidence): string {
  if (heads.length === 0) return '';
  const figures = heads.map((head) => figureHtml(reliabilityFigure(head)));
  return `<section><h2>Are the probabilities right?</h2><div class="heads">${figures.join('\n')}</div></section>`;
}

/** Empty without a figure. */
function section(title: string, figures: readonly (Figure | undefined)[]): string {
  const html = figures.map(optionalFigure).join('\n').trim();
  return html === '' ? '' : `<section><h2>${title}</h2>${html}</section>`;
}

function optionalFigure(figure: Figure | undefined): string {
  return figure ? figureHtml(figure) : '';
}
