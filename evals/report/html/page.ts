import type { Condition, GateVerdict, StoredVerdict } from '../../../router/artifact/index.ts';
import type { Evidence } from '../../gate/index.ts';
import {
  baselineRows,
  cascadeLines,
  conditionRows,
  formatConfidence,
  isWarning,
  judgedBy,
  noteLines,
  parseEvidence,
  rungRows,
} from '../verdict-text.ts';
import { escapeHtml, type Figure, figureHtml, htmlTable } from './markup.ts';
import { costCurveFigure, qualityCurveFigure } from './quality-curves.ts';
import { flipFigure, hardCaseFigure } from './robustness.ts';
import { reliabilityFigure, scoreFigure } from './scores.ts';
import { changesSection, downgradesSection, headSection, provenanceSection } from './sections.ts';
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
  const title = escapeHtml(`${verdict.verdict}: ${judgedBy(verdict).name}`);
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
${savingsSection(evidence)}
${section('Where it loses', [sliceFigure(evidence, verdict.conditions), 'policy' in verdict ? scoreFigure(evidence, verdict.policy.threshold) : undefined])}
${downgradesSection(evidence, texts)}
${section('Hard cases and harmless edits', [hardCaseFigure(evidence, verdict.conditions), flipFigure(evidence, verdict.conditions)])}
${calibrationSection(evidence)}
${provenanceSection(verdict, evidence)}
</main></body>
</html>
`;
}

function conditionsSection({ conditions }: GateVerdict): string {
  const lines = [confidenceSentence(conditions), ...noteLines(conditions)];
  const notes = lines.map(
    (line) => `<p class="${isWarning(line) ? 'loud' : 'muted'}">${escapeHtml(line)}</p>`,
  );
  return `<section><h2>Conditions</h2>${htmlTable('Conditions', conditionRows(conditions).map(verdictSecond))}${notes.join('\n')}</section>`;
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

/** For light and dark schemes, print and phones; loads no font. */
const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fcfcfa; --ink: #1b1d20; --muted: #5a6068; --rule: #dcdddd; --soft: #f2f2ee;
  --accent: #0b5c9e; --pass: #17663a; --fail: #a31919; --inconclusive: #7a4e00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15171a; --ink: #e7e8ea; --muted: #a5abb3; --rule: #363a40; --soft: #1e2125;
    --accent: #74b4f2; --pass: #74d19b; --fail: #ff948c; --inconclusive: #e9be58;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  font-variant-numeric: tabular-nums lining-nums; overflow-wrap: anywhere;
}
main { max-width: 46rem; margin: 0 auto; padding: 3rem 1.25rem 5rem; }
h1 { font-size: clamp(2rem, 8vw, 2.75rem); line-height: 1.1; letter-spacing: -.015em; margin: 0 0 .75rem; }
h2 { font-size: 1.3rem; line-height: 1.3; margin: 3.5rem 0 .75rem; }
h3 { font-size: 1rem; margin: 2rem 0 .5rem; }
p { margin: .5rem 0; max-width: 42rem; }
.muted, figcaption, summary { color: var(--muted); }
.eyebrow { color: var(--muted); font-size: .875rem; margin: 0 0 .5rem; }
.verdict { white-space: nowrap; font-weight: 600; }
.pass { color: var(--pass); } .fail { color: var(--fail); } .inconclusive { color: var(--inconclusive); }
.loud { border: 2px solid var(--fail); border-radius: 6px; padding: .75rem 1rem; margin: 1.5rem 0; }
.key { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 1.25rem; margin: 2rem 0 0; padding: 1.25rem 0; border-block: 1px solid var(--rule); }
.key dt { color: var(--muted); font-size: .875rem; }
.key dd { margin: 0; font-size: 1.5rem; line-height: 1.3; }
.key small { display: block; color: var(--muted); font-size: .8125rem; }
.scroll { overflow-x: auto; max-width: 100%; }
.scroll:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; margin: .5rem 0; }
th, td { padding: .4rem .75rem .4rem 0; text-align: right; vertical-align: baseline; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; white-space: normal; min-width: 7rem; max-width: 16rem; overflow-wrap: break-word; }
th:last-child, td:last-child { padding-right: 0; }
table:has(td:nth-child(2) .verdict) :is(th, td):nth-child(2) { text-align: left; }
thead th { color: var(--muted); font-weight: 500; font-size: .8125rem; }
tbody th { font-weight: 500; }
th.prompt { text-align: left; }
td.prompt { white-space: pre-wrap; text-align: left; min-width: 18rem; max-width: 26rem; }
td.prompt div { max-height: 9.5em; overflow: auto; }
figure { margin: 2rem 0; }
figcaption { font-size: .9rem; max-width: 42rem; margin-bottom: .75rem; }
figcaption strong { color: var(--ink); }
figure svg { display: block; min-width: 31rem; width: 100%; height: auto; --plot-background: var(--paper); }
.heads { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(19rem, 100%), 1fr)); gap: 0 2rem; }
.heads figure { min-width: 0; margin: 1rem 0; }
.heads figure svg { min-width: 0; max-width: 24rem; }
details { font-size: .9rem; margin-top: .5rem; }
summary { cursor: pointer; width: fit-content; }
code { font: .8125rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.hashes { display: grid; grid-template-columns: minmax(6rem, max-content) 1fr; gap: .35rem 1.25rem; font-size: .9rem; margin: 1rem 0; }
.hashes dt { color: var(--muted); } .hashes dd { margin: 0; min-width: 0; }
@media (max-width: 34rem) { main { padding-top: 1.75rem; } .hashes { grid-template-columns: 1fr; gap: 0; } .hashes dd { margin-bottom: .6rem; } }
@media print {
  :root { --paper: #fff; --ink: #000; --muted: #444; --rule: #bbb; --accent: #0b5c9e; --pass: #17663a; --fail: #a31919; --inconclusive: #7a4e00; color-scheme: light; }
  main { max-width: none; padding: 0; }
  figure, table, .loud { break-inside: avoid; } h2 { break-after: avoid; }
  .scroll, td.prompt div { overflow: visible; max-height: none; } figure svg { min-width: 0; }
}
`;
