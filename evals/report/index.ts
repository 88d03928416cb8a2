/** A verdict for people: in the terminal, as Markdown, as JUnit XML and as a page. */
import type { Verdict } from '../../router/artifact/index.ts';
import type { HtmlOptions } from './html/page.ts';

export { junitReport } from './junit.ts';
export { markdownReport } from './markdown.ts';
export { terminalReport } from './terminal.ts';

/** The verdict as one page of HTML. Loads the plotting library only when called. */
export async function htmlReport(verdict: Verdict, options: HtmlOptions = {}): Promise<string> {
  return (await import('./html/page.ts')).htmlReport(verdict, options);
}

export { formatCost, formatCount, formatLoss, formatRate, oneLine, textTable } from './format.ts';
export { looksSentence } from './verdict-text.ts';
