import type { Verdict, VerdictWord } from '../../router/artifact/index.ts';
import { baselineRows } from './baseline-rows.ts';
import { conditionChangeRows, figureChangeRows, verdictChangeSentence } from './change-rows.ts';
import { changesSince } from './changes.ts';
import { conditionRows, noteLines } from './condition-rows.ts';
import { evidenceOf } from './evidence-of.ts';
import { oneLine } from './one-line.ts';
import {
  excludedSentence,
  issuedSentence,
  lookRows,
  looksSentence,
  subjectWords,
} from './sealed-sentences.ts';
import { table } from './table.ts';

export interface TerminalOptions {
  /** Whether escape codes may be used: the caller knows where the text goes. */
  readonly colour: boolean;
  /** An earlier verdict, to show what has changed. */
  readonly previous?: Verdict;
}

const COLOURS: Readonly<Record<VerdictWord, string>> = { PASS: '32', INCONCLUSIVE: '33', FAIL: '31' };
const LOUD = '1;31';

/**
 * The verdict for a terminal: what was judged, the conditions, the baselines, whether routing pays, looks and exclusions.
 *
 * @throws PlimsollError `invalid-artifact`: the evidence is not what the gate writes
 */
export function terminalReport(verdict: Verdict, { colour, previous }: TerminalOptions): string {
  const paint = (text: string, code: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const word = (text: VerdictWord) => paint(text, COLOURS[text]);
  const evidence = evidenceOf(verdict);
  return [
    `${word(verdict.verdict)}  ${oneLine(subjectWords(verdict))}`,
    issuedSentence(verdict),
    '',
    conditionTable(verdict, word),
    ...noteLines(verdict.conditions).map(oneLine),
    '',
    cleanTable(baselineRows(evidence)),
    '',
    oneLine(evidence.conclusion),
    looks(verdict, (text) => paint(text, LOUD)),
    excludedSentence(verdict),
    ...(previous ? changeLines(previous, verdict) : []),
    '',
  ].join('\n');
}

/** Coloured after the columns are in line: escape codes have no width, but a length. The verdict stands at the line's end. */
function conditionTable({ conditions }: Verdict, word: (text: VerdictWord) => string): string {
  const [heading, rule, ...lines] = cleanTable(conditionRows(conditions)).split('\n');
  const painted = lines.map((line, i) => {
    const { verdict } = conditions[i]!;
    const at = line.lastIndexOf(verdict);
    return line.slice(0, at) + word(verdict) + line.slice(at + verdict.length);
  });
  return [heading, rule, ...painted].join('\n');
}

function looks(verdict: Verdict, loud: (text: string) => string): string {
  const sentence = looksSentence(verdict);
  if (verdict.sealed.earlier_looks.length === 0) return sentence;
  return `\n${loud(`WARNING: ${sentence}`)}\n${cleanTable(lookRows(verdict))}\n`;
}

function changeLines(previous: Verdict, verdict: Verdict): string[] {
  const changes = changesSince(previous, verdict);
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
  return table(rows.map((row) => row.map(oneLine)));
}
