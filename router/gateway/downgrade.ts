import type { FallbackResult } from '../fallback/index.ts';
import { DOWNGRADED } from '../policy/index.ts';
import type { Selection } from './selection.ts';

/** These replace the decision's own headers once a cheaper model has replied. */
export const DOWNGRADED_HEADERS = {
  'x-plimsoll-verdict': DOWNGRADED.verdict,
  'x-plimsoll-ungated-reason': DOWNGRADED.ungatedReason,
} as const;

/**
 * The selection, with what may still be claimed of its decision once it is known which model replied: nothing, if every candidate from the
 * chosen rung on failed and a cheaper one took the request (`upstream.allow_downgrade`). The same object if nothing changes.
 */
export function selectionOfReply(selection: Selection, result: FallbackResult): Selection {
  const { decision, cheaper } = selection;
  if (decision === undefined || cheaper === undefined || result.kind === 'failure') return selection;
  if (!cheaper.some(({ name }) => name === result.model.name)) return selection;
  return { ...selection, decision: { ...decision, ...DOWNGRADED } };
}
