import type { GateVerdict, StoredVerdict } from '../../router/artifact/index.ts';
import { type Evidence, VERDICT_SIGNS, verdictSummary } from '../../router/verdict-report/index.ts';
import { oneLine } from '../format.ts';
import { compareVerdicts, conditionChangeRows, figureChangeRows, verdictChangeSentence } from './changes.ts';
import { conditionRows, isWarning, noteLines } from './condition-text.ts';
import {
  abstainedLines,
  baselineRows,
  cascadeLines,
  excludedSentence,
  issuedSentence,
  judgedBy,
  labelsLine,
  languageRows,
  lookRows,
  looksSentence,
  parseEvidence,
  rungRows,
  UNREADABLE_NOTE,
  verdictSubject,
} from './verdict-text.ts';

const MARKUP = /[&<>|`*_[\]\\~]/g;

/**
 * The verdict as a comment on a pull request. The first line is `<!-- plimsoll-gate:NAME -->`, by which an action finds its own
 * earlier comment; NAME is that of the artifact or of the file of decisions, percent-encoded.
 *
 * @throws PlimsollError `invalid-artifact`: the evidence is not what the gate writes
 */
export function markdownReport(
  verdict: GateVerdict,
  { previous }: { readonly previous?: StoredVerdict } = {},
): string {
  const evidence = parseEvidence(verdict);
  const { name, what, sha256 } = judgedBy(verdict);
  return [
    commentMarker(name),
    markdownText(verdictSummary(verdict)),
    `## ${VERDICT_SIGNS[verdict.verdict]} ${verdict.verdict}: ${markdownText(name)}`,
    `${markdownText(verdictSubject(verdict))}. ${issuedSentence(verdict)}`,
    ...labels(verdict),
    looks(verdict),
    signedTable(verdict),
    ...noteLines(verdict.conditions).map((line) =>
      isWarning(line) ? `> [!WARNING]\n> ${markdownText(line)}` : markdownText(line),
    ),
    markdownText(evidence.conclusion),
    ...abstainedLines(evidence, verdict),
    ...cascadeLines(evidence),
    markdownTable(rungRows(evidence)),
    ...(previous ? changeBlocks(previous, verdict) : []),
    details('Baselines', markdownTable(baselineRows(evidence))),
    ...languageBlocks(evidence),
    excludedSentence(verdict),
    `<sub>verdict ${verdict.sha256.slice(0, 12)}, ${what} ${sha256.slice(0, 12)}, suite ${verdict.suite.sha256.slice(0, 12)}, sealed cases ${verdict.sealed.sha256.slice(0, 12)}</sub>`,
    '',
  ].join('\n\n');
}

function languageBlocks(evidence: Evidence): string[] {
  const rows = languageRows(evidence);
  if (rows === undefined) return [];
  return [details('Languages', `${markdownTable(rows)}\n\n${UNREADABLE_NOTE}`)];
}

/** `encodeURIComponent` escapes `>`, so no name can end the comment. */
function commentMarker(name: string): string {
  return `<!-- plimsoll-gate:${encodeURIComponent(oneLine(name))} -->`;
}

function signedTable({ conditions }: GateVerdict): string {
  const [heading = [], ...rows] = conditionRows(conditions);
  const signs = conditions.map(({ verdict }) => VERDICT_SIGNS[verdict]);
  const signed = rows.map((row, i) => [...row.slice(0, -1), `${signs[i]} ${row.at(-1)}`]);
  return markdownTable([heading, ...signed]);
}

function labels(verdict: GateVerdict): string[] {
  const line = labelsLine(verdict);
  if (line === undefined) return [];
  return [line.isWarning ? `> [!WARNING]\n> ${line.text}` : line.text];
}

function looks(verdict: GateVerdict): string {
  if (verdict.looks.number === 1) return looksSentence(verdict);
  return `> [!WARNING]\n> ${looksSentence(verdict)}\n\n${markdownTable(lookRows(verdict))}`;
}

function changeBlocks(previous: StoredVerdict, verdict: GateVerdict): string[] {
  const changes = compareVerdicts(previous, verdict);
  const figures = figureChangeRows(changes);
  return [
    `### Against the previous verdict\n\n${verdictChangeSentence(changes)} ${changes.caveats.join(' ')}`.trimEnd(),
    markdownTable(conditionChangeRows(changes)),
    ...(figures.length > 1 ? [details('Figures, before and now', markdownTable(figures))] : []),
  ];
}

/** GitHub renders Markdown inside only after an empty line. */
function details(summary: string, body: string): string {
  return `<details>\n<summary>${summary}</summary>\n\n${body}\n\n</details>`;
}

/**
 * Escapes a name for Markdown: marks that would start a tag, a code span, a link or a table cell become character references
 * (CommonMark 0.31, section 2.5), and `@name` notifies nobody.
 */
function markdownText(text: string): string {
  return oneLine(text)
    .replace(MARKUP, (one) => `&#${one.charCodeAt(0)};`)
    .replaceAll('@', '@&#8203;');
}

/** A table in GitHub Flavored Markdown: the first column to the left, the others to the right. The first row is the heading. */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const [heading = [], ...body] = rows.map((row) => row.map(markdownText));
  const rule = heading.map((_, i) => (i === 0 ? '---' : '---:'));
  return [heading, rule, ...body].map(line).join('\n');
}
