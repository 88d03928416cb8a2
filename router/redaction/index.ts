/** Personal data out of texts: by form, by a list of names, by a command of the operator. */
import type { RedactionOptions, RequestRedactor } from './redactor.ts';

export { openRedactCommand, type RedactCommand, type RedactCommandOptions } from './redact-command.ts';
export { PATTERN_KINDS, REDACTED_KINDS, type RedactedKind } from './spans.ts';
export type { RedactionOptions, RequestRedactor };

/** As `createRedactor`. Its libraries are loaded here, so that a server that redacts nothing never loads them. */
export async function openRedactor(options: RedactionOptions): Promise<() => RequestRedactor> {
  return (await import('./redactor.ts')).createRedactor(options);
}
