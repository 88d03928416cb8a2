import { isHuman } from '../catalog/index.ts';
import type { DecisionRecord } from './decision-record.ts';

/**
 * `counted`: the record has its cost. `reply`: it is the reply that counts, once it is there. `extra`: a model replied besides, for so much. `spent`:
 * it is paid for, and no reply.
 */
export type WorkUse =
  | { readonly kind: 'counted' | 'reply' | 'spent' }
  | { readonly kind: 'extra'; readonly costUsd: number };

/** The status of a request whose client polls for the reply of people: HTTP calls it accepted. */
export const HANDED_OFF = 202;

/** What the work of people on a request is to its record. @param hasReply a whole reply went out */
export function workUseOf(
  {
    served,
    status,
    people_task: task,
    cost_usd: costUsd,
  }: Pick<DecisionRecord, 'served' | 'status' | 'people_task' | 'cost_usd'>,
  hasReply: boolean,
): WorkUse {
  if (served !== undefined && isHuman(served) && costUsd !== undefined) return { kind: 'counted' };
  if (status === HANDED_OFF) return { kind: 'reply' };
  const isExtra = task !== undefined && costUsd !== undefined && hasReply;
  return isExtra ? { kind: 'extra', costUsd } : { kind: 'spent' };
}
