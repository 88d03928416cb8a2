import type { Verdict, VerdictWord } from '../../router/artifact/index.ts';
import { baselineRows } from './baseline-rows.ts';
import { conditionChangeRows, figureChangeRows, verdictChangeSentence } from './change-rows.ts';
import { changesSince } from './changes.ts';
import { conditionRows, noteLines } from './condition-rows.ts';
import { evidenceOf } from './evidence-of.ts';
import { markdownTable, markdownText } from './markdown-text.ts';
import { oneLine } from './one-line.ts';
import {
  excludedSentence,
  issuedSentence,
  lookRows,
  looksSentence,
  subjectWords,
} from './sealed-sentences.ts';

/** Told apart by shape, without colour. */
const SIGNS: Readonly<Record<VerdictWord, string>> = { PASS: '✓', INCONCLUSIVE: '?', FAIL: '✗' };

/**
 * The verdict as a comment on a pull request. The first line is `<!-- plimsoll-gate:NAME -->`, by which an action finds its own
 * earlier comment; NAME is the artifact's, percent-encoded.
 *
 * @throws PlimsollError `invalid-artifact`: the evidence is not what the gate writes
 */
export function markdownReport(verdict: Verdict, { previous }: { readonly previous?: Verdict } = {}): string {
  const evidence = evidenceOf(verdict);
  return [
    commentMarker(verdict.artifact.name),
    `## ${SIGNS[verdict.verdict]} ${verdict.verdict}: ${markdownText(verdict.artifact.name)}`,
    `${markdownText(subjectWords(verdict))}. ${issuedSentence(verdict)}`,
    looks(verdict),
    signedTable(verdict),
    ...noteLines(verdict.conditions).map(markdownText),
    markdownText(evidence.conclusion),
    ...(previous ? changeBlocks(previous, verdict) : []),
    details('Baselines', markdownTable(baselineRows(evidence))),
    excludedSentence(verdict),
    `<sub>verdict ${verdict.sha256.slice(0, 12)}, artifact ${verdict.artifact.sha256.slice(0, 12)}, suite ${verdict.suite.sha256.slice(0, 12)}, sealed cases ${verdict.sealed.sha256.slice(0, 12)}</sub>`,
    '',
  ].join('\n\n');
}

/** `encodeURIComponent` leaves no `>`, so no name can end the comment. */
export function commentMarker(artifact: string): string {
  return `<!-- plimsoll-gate:${encodeURIComponent(oneLine(artifact))} -->`;
}

function signedTable({ conditions }: Verdict): string {
  const [heading, ...rows] = conditionRows(conditions);
  const signed = rows.map((row, i) => [
    ...row.slice(0, -1),
    `${SIGNS[conditions[i]!.verdict]} ${row.at(-1)}`,
  ]);
  return markdownTable([heading!, ...signed]);
}

function looks(verdict: Verdict): string {
  if (verdict.sealed.earlier_looks.length === 0) return looksSentence(verdict);
  return `> [!WARNING]\n> ${looksSentence(verdict)}\n\n${markdownTable(lookRows(verdict))}`;
}

function changeBlocks(previous: Verdict, verdict: Verdict): string[] {
  const changes = changesSince(previous, verdict);
  const figures = figureChangeRows(changes);
  return [
    `### Against the previous verdict\n\n${verdictChangeSentence(changes)} ${changes.caveats.join(' ')}`.trimEnd(),
    markdownTable(conditionChangeRows(changes)),
    ...(figures.length > 1 ? [details('Figures, before and now', markdownTable(figures))] : []),
  ];
}

/** GitHub reads Markdown inside only after an empty line. */
function details(summary: string, body: string): string {
  return `<details>\n<summary>${summary}</summary>\n\n${body}\n\n</details>`;
}
