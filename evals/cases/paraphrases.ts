import { z } from 'zod';
import { routedText } from '../../router/prompt/index.ts';
import { strictRows } from './strict-rows.ts';
import { languageCode } from './tiered-row.ts';

/** One request in two wordings: a policy should decide both alike. */
export interface Paraphrase {
  readonly id: string;
  /** ISO 639, such as en. */
  readonly language: string;
  /** The routed texts of the two wordings. */
  readonly a: string;
  readonly b: string;
}

const wording = z.string().trim().min(1);

const paraphraseRowSchema = z
  .strictObject({
    id: wording,
    a: wording,
    b: wording,
    language: languageCode,
  })
  .refine(({ a, b }) => a !== b, {
    message: 'is the same text as a, so no decision can differ; write it in other words',
    path: ['b'],
  });

/**
 * Reads a file of paraphrases (JSON Lines; evals/suites/README.md describes the rows).
 *
 * @throws PlimsollError 'invalid-input': a row that does not fit, an id twice, no row at all; 'not-found', 'io': no such file
 */
export function loadParaphrases(file: string): Paraphrase[] {
  return strictRows(file, paraphraseRowSchema, ({ id, language, a, b }) => ({
    id,
    language,
    a: routedText({ prompt: a }),
    b: routedText({ prompt: b }),
  }));
}
