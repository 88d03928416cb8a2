import type { Verdict } from '../../router/artifact/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { type Evidence, evidenceSchema } from '../gate/index.ts';

/**
 * A verdict's evidence, checked.
 *
 * @throws PlimsollError `invalid-artifact`: the evidence is not what the gate writes
 */
export function evidenceOf(verdict: Verdict): Evidence {
  const { success, data, error } = evidenceSchema.safeParse(verdict.evidence);
  if (success) return data;
  const { path, message } = error.issues[0]!;
  throw new PlimsollError(
    'invalid-artifact',
    `The verdict's evidence is wrong at ${path.join('.') || 'its root'}: ${message}. Run the gate again: this version writes it anew.`,
  );
}

/** The same, or undefined where an earlier version wrote it: then only the conditions can be compared. */
export function earlierEvidenceOf(verdict: Verdict): Evidence | undefined {
  return evidenceSchema.safeParse(verdict.evidence).data;
}
