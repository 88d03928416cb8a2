import { readFileSync } from 'node:fs';

/** What browsers load to grade: the style of a case, and its keys. */
export const GRADING_FILES = ['grading.css', 'grading.js'] as const;
export type GradingFile = (typeof GRADING_FILES)[number];

export function gradingFile(name: GradingFile): string {
  return readFileSync(new URL(`./browser/${name}`, import.meta.url), 'utf8');
}
