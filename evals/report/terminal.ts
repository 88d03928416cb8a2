import type { Condition, GateVerdict, StoredVerdict, VerdictWord } from '../../router/artifact/index.ts';
import { type Evidence, verdictSummary } from '../../router/verdict-report/index.ts';
import { oneLine, textTable } from '../format.ts';
import { compareVerdicts, conditionChangeRows, figureChangeRows, verdictChangeSentence } from './changes.ts';
import { conditionRows, isWarning, noteLines } from './condition-text.ts';
import {
  abstainedLines,
  baselineRows,
  cascadeLines,
  excludedSentence,
  issuedSentence,
  labelsLine,
  languageRows,
  lookRows,
  looksSentence,
  parseEvidence,
  rungRows,
  UNREADABLE_NOTE,
  verdictSubject,
} from './verdict-text.ts';

export interface TerminalOptions {
  /** Whether to use escape codes: the caller knows whether the output is a terminal. */
  readonly colour: boolean;
  /** An earlier verdict, to show what has changed. */
  readonly previous?: StoredVerdict;
}

const COLOURS: Readonly<Record<VerdictWord, string>> = { PASS: '32', INCONCLUSIVE: '33', FAIL: '31' };
const BOLD_RED = '1;31';
/** The head of a table: the names of its columns and a rule. */
const HEADING_LINES = 2;

/**
 * The verdict for a terminal: a sentence for whoever pays, what was judged, the conditions, the rungs, the baselines, whether routing pays, looks and exclusions.
 *
 * @throws PlimsollError `invalid-artifact`: the evidence is not what the gate writes
 */
export function terminalReport(verdict: GateVerdict, { colour, previous }: TerminalOptions): string {
  const paint: Paint = (text, code) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const word = (text: VerdictWord) => paint(text, COLOURS[text]);
  const evidence = parseEvidence(verdict);
  return [
    oneLine(verdictSummary(verdict)),
    '',
    `${word(verdict.verdict)}  ${oneLine(verdictSubject(verdict))}`,
    issuedSentence(verdict),
    ...labels(verdict, (text) => paint(text, BOLD_RED)),
    '',
    ...conditionLines(verdict.conditions, paint),
    '',
    cleanTable(rungRows(evidence)),
    '',
    cleanTable(baselineRows(evidence)),
    '',
    ...languageLines(evidence),
    oneLine(evidence.conclusion),
    ...abstainedLines(evidence, verdict),
    ...cascadeLines(evidence),
    looks(verdict, (text) => paint(text, BOLD_RED)),
    excludedSentence(verdict),
    ...(previous ? changeLines(previous, verdict) : []),
    '',
  ].join('\n');
}

function languageLines(evidence: Evidence): string[] {
  const rows = languageRows(evidence);
  if (rows === undefined) return [];
  const unreadable = evidence.slices.some((slice) => slice.unreadable !== undefined);
  return [cleanTable(rows), ...(unreadable ? [UNREADABLE_NOTE] : []), ''];
}

type Paint = (text: string, code: string) => string;

/** A table of conditions and, below it, their notes. @param paint by default there are no colours */
export function conditionLines(conditions: readonly Condition[], paint: Paint = (text) => text): string[] {
  const notes = noteLines(conditions).map((line) =>
    isWarning(line) ? paint(oneLine(line), BOLD_RED) : oneLine(line),
  );
  return [...conditionTable(conditions, paint), ...notes];
}

/** Colours are added after the columns are aligned, since escape codes have length but no width. The verdict ends the line. */
function conditionTable(conditions: readonly Condition[], paint: Paint): string[] {
  const lines = cleanTable(conditionRows(conditions)).split('\n');
  const painted = conditions.map(({ verdict }, i) => {
    const line = lines[HEADING_LINES + i] ?? '';
    const start = line.lastIndexOf(verdict);
    return line.slice(0, start) + paint(verdict, COLOURS[verdict]) + line.slice(start + verdict.length);
  });
  return [...lines.slice(0, HEADING_LINES), ...painted];
}

function labels(verdict: GateVerdict, warn: (text: string) => string): string[] {
  const line = labelsLine(verdict);
  if (line === undefined) return [];
  return [line.isWarning ? warn(`WARNING: ${line.text}`) : line.text];
}

function looks(verdict: GateVerdict, warn: (text: string) => string): string {
  const sentence = looksSentence(verdict);
  if (verdict.looks.number === 1) return sentence;
  return `\n${warn(`WARNING: ${sentence}`)}\n${cleanTable(lookRows(verdict))}\n`;
}

function changeLines(previous: StoredVerdict, verdict: GateVerdict): string[] {
  const changes = compareVerdicts(previous, verdict);
  const figures = figureChangeRows(changes);
  return [
    '',
    `Against the previous verdict: ${verdictChangeSentence(changes)}`,
    ...changes.caveats,
    cleanTable(conditionChangeRows(changes)),
    ...(figures.length > 1 ? ['', cleanTable(figures)] : []),
  ];
}

function cleanTable(rows: readonly (readonly string[])[]): string {
  return textTable(rows.map((row) => row.map(oneLine)));
}
