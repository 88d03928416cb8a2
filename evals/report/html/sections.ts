import type { GateVerdict, StoredVerdict } from '../../../router/artifact/index.ts';
import { type Evidence, VERDICT_SIGNS, verdictSummary } from '../../../router/verdict-report/index.ts';
import { DASH, formatCost, formatCount, formatLoss, formatRate } from '../../format.ts';
import { compareVerdicts, conditionChangeRows, figureChangeRows, verdictChangeSentence } from '../changes.ts';
import { formatLimit } from '../condition-text.ts';
import {
  excludedSentence,
  issuedSentence,
  judgedBy,
  labelsLine,
  lookRows,
  looksSentence,
} from '../verdict-text.ts';
import { escapeHtml, escapePrompt, htmlTable, scrollBox } from './markup.ts';

/** The verdict in large letters, what was judged, and the four figures that readers look for first. */
export function headSection(verdict: GateVerdict, evidence: Evidence): string {
  const { verdict: word, suite } = verdict;
  const { name, words } = judgedBy(verdict);
  return `<header>
<p class="eyebrow">Plimsoll gate · ${escapeHtml(name)}</p>
<h1 class="${word.toLowerCase()}"><span aria-hidden="true">${VERDICT_SIGNS[word]}</span> ${word}</h1>
<p class="summary">${escapeHtml(verdictSummary(verdict))}</p>
<p>${escapeHtml(capitalised(words.join(' at ')))}, held against suite ${escapeHtml(suite.name)}. ${issuedSentence(verdict)}</p>
${labels(verdict)}${looks(verdict)}
<dl class="key">${keyFigures(verdict, evidence).map(keyFigure).join('')}</dl>
</header>`;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function labels(verdict: GateVerdict): string {
  const line = labelsLine(verdict);
  if (line === undefined) return '';
  if (!line.isWarning) return `<p>${line.text}</p>\n`;
  return `<div class="loud" role="note"><p><strong>Warning.</strong> ${line.text}</p></div>\n`;
}

function looks(verdict: GateVerdict): string {
  const sentence = looksSentence(verdict);
  if (verdict.looks.number === 1) return `<p class="muted">${sentence}</p>`;
  return `<div class="loud" role="note"><p><strong>Warning.</strong> ${sentence}</p>${htmlTable('Earlier looks', lookRows(verdict))}</div>`;
}

type KeyFigure = readonly [name: string, value: string, detail: string];

function keyFigures({ conditions, sealed }: GateVerdict, evidence: Evidence): KeyFigure[] {
  const loss = conditions.find(({ name }) => name === 'quality-loss');
  const { cost, quality } = evidence;
  return [
    ['quality loss', formatLoss(evidence.quality_loss), loss ? `limit ${formatLimit(loss)}` : 'no limit'],
    [
      'quality, routed',
      formatRate(quality.routed),
      `cheap ${formatRate(quality.cheap)}, strong ${formatRate(quality.strong)}`,
    ],
    ['escalated', formatRate(evidence.escalation_rate), `of ${formatCount(sealed.n)} sealed cases`],
    [
      'saved',
      formatRate(cost?.saved_against_strong),
      cost
        ? `${formatCost(cost.routed_usd)} for 1,000, strong ${formatCost(cost.strong_usd)}`
        : sealed.below_limit === undefined
          ? 'not every cost is known'
          : 'not known from labels for a part',
    ],
  ];
}

function keyFigure([name, value, detail]: KeyFigure): string {
  return `<div><dt>${name}</dt><dd>${value}<small>${detail}</small></dd></div>`;
}

/** Changes since an earlier verdict, in conditions and figures. */
export function changesSection(previous: StoredVerdict, verdict: GateVerdict): string {
  const changes = compareVerdicts(previous, verdict);
  const figures = figureChangeRows(changes);
  return `<section><h2>Against the previous verdict</h2>
<p>${[verdictChangeSentence(changes), ...changes.caveats].join(' ')}</p>
${htmlTable('Conditions before and now', conditionChangeRows(changes))}
${figures.length > 1 ? `<h3>Figures</h3>${htmlTable('Figures before and now', figures)}` : ''}
</section>`;
}

/** The largest losses by case id. A verdict holds no prompt texts: they are shown only if the caller passes them. */
export function downgradesSection(
  { silent_downgrades: downgrades }: Evidence,
  texts: ReadonlyMap<string, string>,
): string {
  const { margin, rate, worst } = downgrades;
  const sentence = `${formatRate(rate)} of the cases lose more than ${formatLoss(margin)} of quality against the strong candidate, with no sign of it in the answer.`;
  return `<section><h2>Worst silent downgrades</h2>
<p>${sentence}</p>
${worst.length === 0 ? '<p class="muted">No case was answered worse than by the strong candidate.</p>' : worstTable(worst, texts)}
</section>`;
}

function worstTable(
  worst: Evidence['silent_downgrades']['worst'],
  texts: ReadonlyMap<string, string>,
): string {
  const withText = worst.some(({ id }) => texts.has(id));
  const rows = worst.map(
    ({ id, loss, predicted_loss }) =>
      `<tr><th scope="row"><code>${escapeHtml(id)}</code></th><td>${formatLoss(loss)}</td><td>${formatLoss(predicted_loss)}</td>${withText ? promptCell(texts.get(id)) : ''}</tr>`,
  );
  const head = ['case', 'loss', 'predicted loss'].map((name) => `<th scope="col">${name}</th>`).join('');
  const textHead = withText ? '<th scope="col" class="prompt">text</th>' : '';
  return scrollBox(
    'Worst silent downgrades',
    `<table><thead><tr>${head}${textHead}</tr></thead><tbody>${rows.join('\n')}</tbody></table>`,
  );
}

function promptCell(text: string | undefined): string {
  return `<td class="prompt"><div>${text === undefined ? DASH : escapePrompt(text)}</div></td>`;
}

/** Hashes of everything that the verdict depends on. */
export function provenanceSection(verdict: GateVerdict, evidence: Evidence): string {
  const { sealed, tools } = verdict;
  return `<section><h2>Provenance</h2>
<dl class="hashes">${bindings(verdict, evidence)
    .map(
      ([name, description, sha256]) =>
        `<dt>${name}</dt><dd>${escapeHtml(description)}<br><code>${escapeHtml(sha256)}</code></dd>`,
    )
    .join('\n')}</dl>
<p>${excludedSentence(verdict)} ${looksSentence(verdict)}</p>
<h3>Files</h3>
${htmlTable('Files', [
  ['file', 'rows', 'sha256'],
  ...sealed.files.map(({ file, rows, sha256 }) => [file, formatCount(rows), sha256.slice(0, 16)]),
])}
<p class="muted">${escapeHtml(
    Object.entries(tools)
      .map(([tool, version]) => `${tool} ${version}`)
      .join(', '),
  )}</p>
</section>`;
}

type Binding = readonly [name: string, description: string, sha256: string];

function bindings(verdict: GateVerdict, { hard_cases }: Evidence): Binding[] {
  const { suite, sealed, issued, sha256 } = verdict;
  const judged = judgedBy(verdict);
  return [
    ['verdict', issued, sha256],
    [judged.what, judged.name, judged.sha256],
    ['suite', suite.name, suite.sha256],
    ['sealed cases', formatCount(sealed.n), sealed.sha256],
    ...(hard_cases ? [['hard cases', formatCount(hard_cases.n), hard_cases.sha256] as const] : []),
  ];
}
