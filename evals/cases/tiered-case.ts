import { personTexts, routedText } from '../../router/prompt/index.ts';
import type { RouteInput } from '../../router/types.ts';
import type { TieredRow } from './tiered-row.ts';

/** A request with the tier that its authors think it needs. A judgement, not a measured outcome: no model was run. */
export interface TieredCase {
  readonly id: string;
  /** Of the prompt: ISO 639, such as en. */
  readonly language: string;
  /** The routed text: what serving would score for the same request. */
  readonly text: string;
  readonly tier: TieredRow['tier'];
  /** One sentence for a reader; nothing is learned from it. */
  readonly why: string;
  /** Messages of the person in the request, where they are more than one. */
  readonly turns?: number;
}

/** @throws PlimsollError 'invalid-input' if no person wrote any text in the row's messages */
export function tieredCase(row: TieredRow): TieredCase {
  const { id, language, tier, why } = row;
  const input = inputOf(row);
  const turns = 'messages' in input ? input.messages.filter((one) => personTexts(one).length > 0).length : 1;
  return { id, language, text: routedText(input), tier, why, ...(turns > 1 && { turns }) };
}

function inputOf({ prompt, messages }: TieredRow): RouteInput {
  return prompt === undefined ? { messages: messages! } : { prompt };
}
