/** A verdict for people: in the terminal, as Markdown, as JUnit XML and as a page. */

export { drawQualityPlot } from './draw-quality-plot.ts';
export { escapeHtml, type Figure, figureHtml, htmlTable } from './html/markup.ts';
export type { QualityPlot } from './html/quality-plot.ts';
export { htmlPage } from './html/shell.ts';
export { junitReport } from './junit.ts';
export { markdownReport, markdownTable } from './markdown.ts';
export { conditionLines, terminalReport } from './terminal.ts';
export { looksSentence } from './verdict-text.ts';
export { type ReportOptions, writeReports } from './write-reports.ts';
