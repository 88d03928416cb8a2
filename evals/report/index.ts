/** A verdict for people: in the terminal, as Markdown, as JUnit and as a page. */
import type { Verdict } from '../../router/artifact/index.ts';
import type { HtmlOptions } from './html.ts';

/** The verdict as one page of HTML. Loads the plotting library, which is slow to load. */
export async function htmlReport(verdict: Verdict, options: HtmlOptions = {}): Promise<string> {
  return (await import('./html.ts')).htmlReport(verdict, options);
}
export { junitReport } from './junit.ts';
export { markdownReport } from './markdown.ts';
export { costWord, countWord, lossWord, rateWord } from './number-words.ts';
export { oneLine } from './one-line.ts';
export { looksSentence } from './sealed-sentences.ts';
export { table } from './table.ts';
export { terminalReport } from './terminal.ts';
