import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { htmlReport, junitReport, markdownReport } from '../evals/report/index.ts';
import type { Verdict } from '../router/artifact/index.ts';
import { replaceFile, writeFailure } from '../router/files/index.ts';

export interface ReportOptions {
  /** The reports say what changed since. */
  readonly previous?: Verdict;
  /** Id -> prompt, for the worst downgrades of the page. */
  readonly texts?: ReadonlyMap<string, string>;
  /** Further files, by name. */
  readonly more?: Readonly<Record<string, string>>;
}

/** Writes verdict.json, report.md, report.xml and report.html. @throws PlimsollError `io` where the folder cannot be written */
export async function writeReports(
  folder: string,
  verdict: Verdict,
  { previous, texts, more = {} }: ReportOptions = {},
): Promise<void> {
  const options = previous ? { previous } : {};
  const files: Record<string, string> = {
    ...more,
    'verdict.json': `${JSON.stringify(verdict, null, 2)}\n`,
    'report.md': markdownReport(verdict, options),
    'report.xml': junitReport(verdict),
    'report.html': await htmlReport(verdict, { ...options, ...(texts && { texts }) }),
  };
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw writeFailure(`the reports to ${folder}`, folder, cause);
  }
  for (const [name, text] of Object.entries(files)) {
    replaceFile(path.join(folder, name), text, { what: 'the report' });
  }
}
