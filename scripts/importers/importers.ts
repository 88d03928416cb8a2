import { mostSimilar } from '../../evals/cases/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { csv } from './csv.ts';
import { gradeSchoolMath } from './grade-school-math.ts';
import type { Importer } from './importer.ts';
import { jsonl } from './jsonl.ts';
import { llmrouter } from './llmrouter.ts';
import { mmluPro } from './mmlu-pro.ts';
import { routellm } from './routellm.ts';
import { routellmMtbench } from './routellm-mtbench.ts';
import { routerbench } from './routerbench.ts';
import { zeroeval } from './zeroeval.ts';

/** All formats, in the order in which they are listed. */
export const IMPORTERS: readonly Importer[] = [
  csv,
  jsonl,
  routellm,
  routellmMtbench,
  mmluPro,
  zeroeval,
  llmrouter,
  routerbench,
  gradeSchoolMath,
];

/** @throws PlimsollError 'not-found': no importer of that name */
export function importerOf(format: string): Importer {
  const found = IMPORTERS.find((importer) => importer.format === format);
  if (found !== undefined) return found;
  const formats = IMPORTERS.map((importer) => importer.format);
  const similar = mostSimilar(format, formats);
  throw new PlimsollError(
    'not-found',
    `There is no format ${format}.${similar === undefined ? '' : ` Did you mean ${similar}?`} Formats: ${formats.join(', ')}.`,
  );
}
