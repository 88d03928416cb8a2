import type { Verdict } from '../../router/artifact/index.ts';
import type { Evidence } from '../gate/index.ts';
import { baselineRows } from './baseline-rows.ts';
import { conditionRows, noteLines } from './condition-rows.ts';
import { evidenceOf } from './evidence-of.ts';
import { changesSection } from './html/changes-section.ts';
import { costCurve } from './html/cost-curve.ts';
import { downgradesSection } from './html/downgrades-section.ts';
import { escaped } from './html/escaped.ts';
import { type Figure, figureHtml } from './html/figure.ts';
import { flips } from './html/flips.ts';
import { hardCases } from './html/hard-cases.ts';
import { headSection } from './html/head-section.ts';
import { htmlTable } from './html/html-table.ts';
import { PAGE_STYLE } from './html/page-style.ts';
import { provenanceSection } from './html/provenance-section.ts';
import { qualityCurve } from './html/quality-curve.ts';
import { reliability } from './html/reliability.ts';
import { scoreHistogram } from './html/score-histogram.ts';
import { slices } from './html/slices.ts';

export interface HtmlOptions {
  /** An earlier verdict, to show what has changed. */
  readonly previous?: Verdict;
  /** Prompts by case id, for the table of silent downgrades: a page with them is as confidential as they are. */
  readonly texts?: ReadonlyMap<string, string>;
}

/**
 * The verdict as one page that needs no network and no script. The same verdict gives the same page, byte for byte.
 *
 * @throws PlimsollError `invalid-artifact`: the evidence is not what the gate writes
 */
export function htmlReport(verdict: Verdict, { previous, texts = new Map() }: HtmlOptions = {}): string {
  const evidence = evidenceOf(verdict);
  const title = escaped(`${verdict.verdict}: ${verdict.artifact.name}`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${PAGE_STYLE}</style>
</head>
<body><main>
${headSection(verdict, evidence)}
${conditionsSection(verdict)}
${previous ? changesSection(previous, verdict) : ''}
${paysSection(evidence)}
${section('Where it loses', [slices(evidence, verdict.conditions), scoreHistogram(evidence, verdict.policy.threshold)])}
${downgradesSection(evidence, texts)}
${section('Hard cases and harmless edits', [hardCases(evidence, verdict.conditions), flips(evidence, verdict.conditions)])}
${headsSection(evidence)}
${provenanceSection(verdict, evidence)}
</main></body>
</html>
`;
}

function conditionsSection({ conditions }: Verdict): string {
  const notes = noteLines(conditions).map((line) => `<p class="muted">${escaped(line)}</p>`);
  return `<section><h2>Conditions</h2>${htmlTable('Conditions', conditionRows(conditions).map(verdictSecond))}${notes.join('\n')}</section>`;
}

/** On a phone the first columns are seen without scrolling. */
function verdictSecond(row: readonly string[]): string[] {
  return [row[0]!, row.at(-1)!, ...row.slice(1, -1)];
}

function paysSection(evidence: Evidence): string {
  return `<section><h2>Does routing pay?</h2><p>${escaped(evidence.conclusion)}</p>
${[qualityCurve(evidence), costCurve(evidence)].map(drawn).join('\n')}
<h3>Baselines</h3>${htmlTable('Baselines', baselineRows(evidence))}</section>`;
}

function headsSection({ heads }: Evidence): string {
  if (heads.length === 0) return '';
  const figures = heads.map((head) => figureHtml(reliability(head)));
  return `<section><h2>Are the probabilities right?</h2><div class="heads">${figures.join('\n')}</div></section>`;
}

/** Without a figure there is no heading either. */
function section(title: string, figures: readonly (Figure | undefined)[]): string {
  const html = figures.map(drawn).join('\n').trim();
  return html === '' ? '' : `<section><h2>${title}</h2>${html}</section>`;
}

function drawn(figure: Figure | undefined): string {
  return figure ? figureHtml(figure) : '';
}
