import { stringify } from 'yaml';
import type { Design } from './types.ts';

/** Name of the file of labelled cases, beside the suite. */
export const CASES_FILE = 'cases.jsonl';

/** The suite that the design asks the gate to prove, for `plimsoll gate`. Its cases are still to be labelled. */
export function suiteText({ margin, confidence, labels, policy }: Design): string {
  const sealed =
    labels.sealed === null ? 'more cases than can be planned' : `about ${labels.sealed} sealed cases`;
  const head = `# What the design asks the gate to prove. Every field: docs/CI.md.
# It takes ${sealed}; the design expects ${Math.round(100 * policy.escalation_rate)} % to be escalated, and the gate finds the threshold by itself.
`;
  return `${head}${stringify({
    schema_version: 2,
    name: 'design',
    cases: [CASES_FILE],
    max_quality_loss: margin,
    confidence,
  })}`;
}
