import { readFileSync } from 'node:fs';
import type { PlimsollError } from '../../../router/errors.ts';
import { fileError } from './case-file.ts';

/**
 * The JSON of a file.
 * @param notJson the error if it is none
 * @throws PlimsollError `not-found` or `io` if it cannot be read
 */
export function readJsonFile(file: string, notJson: () => PlimsollError): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw fileError(file, cause);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw notJson();
  }
}
