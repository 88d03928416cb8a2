/** Personal data out of texts: by form, by a list of names, by a command of the operator. */
export { createRedactor, type RedactionOptions, type RequestRedactor } from './redactor.ts';
export { PATTERN_KINDS, REDACTED_KINDS, type RedactedKind } from './spans.ts';
