/** A verdict for people: in the terminal, as Markdown, as JUnit XML and as a page. */

export {
  escapeMarkup,
  formatCost,
  formatCount,
  formatLoss,
  formatRate,
  oneLine,
  textTable,
} from './format.ts';
export { junitReport } from './junit.ts';
export { markdownReport } from './markdown.ts';
export { terminalReport } from './terminal.ts';
export { looksSentence } from './verdict-text.ts';
export { type ReportOptions, writeReports } from './write-reports.ts';
