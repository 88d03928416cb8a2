import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { GateVerdict, StoredVerdict } from '../../router/artifact/index.ts';
import { replaceFile, writeFailure } from '../../router/files/index.ts';
import { junitReport } from './junit.ts';
import { markdownReport } from './markdown.ts';

export interface ReportOptions {
  /** The reports list what changed since this verdict. */
  readonly previous?: StoredVerdict;
  /** Id -> prompt, for the worst downgrades of the page. */
  readonly texts?: ReadonlyMap<string, string>;
  /** Further files: name -> content. */
  readonly more?: Readonly<Record<string, string>>;
}

/** Writes verdict.json, report.md, report.xml and report.html. @throws PlimsollError `io` if the folder cannot be written */
export async function writeReports(
  folder: string,
  verdict: GateVerdict,
  { previous, texts, more = {} }: ReportOptions = {},
): Promise<void> {
  const { htmlReport } = await import('./html/page.ts'); // loads the plotting library
  const options = previous ? { previous } : {};
  const files: Record<string, string> = {
    ...more,
    'verdict.json': `${JSON.stringify(verdict, null, 2)}\n`,
    'report.md': markdownReport(verdict, options),
    'report.xml': junitReport(verdict),
    'report.html': htmlReport(verdict, { ...options, ...(texts && { texts }) }),
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
