import { createHash } from 'node:crypto';
import type { CatalogModel } from '../catalog/types.ts';
import type { CallOptions, PromptMessage } from './sdk-types.ts';

/** Mistral refuses a conversation with ids of tool calls in any other form. */
const TAKEN = /^[a-zA-Z0-9]{9}$/;
const ID_CHARACTERS = 9;
const DIGITS_AND_LETTERS = 36;

/**
 * For Mistral's models, also on Bedrock: ids of tool calls that another API gave become ids that Mistral takes, the same for a call
 * and its result, and in every request of a conversation. Nothing changes for other models.
 */
export function withMistralIds(options: CallOptions, { provider, id }: CatalogModel): CallOptions {
  const onBedrock = provider.kind === 'bedrock' && id.includes('mistral.');
  if (provider.kind !== 'mistral' && !onBedrock) return options;
  return { ...options, prompt: options.prompt.map(withTakenIds) };
}

function withTakenIds(message: PromptMessage): PromptMessage {
  if (message.role === 'assistant') return { ...message, content: message.content.map(withTakenId) };
  if (message.role === 'tool') return { ...message, content: message.content.map(withTakenId) };
  return message;
}

function withTakenId<Part extends object>(part: Part): Part {
  if (!('toolCallId' in part) || typeof part.toolCallId !== 'string') return part;
  return { ...part, toolCallId: takenId(part.toolCallId) };
}

/** A hash, not the beginning of the id: ids of one provider begin alike. */
function takenId(id: string): string {
  if (TAKEN.test(id)) return id;
  const hash = createHash('sha256').update(id).digest().readBigUInt64BE();
  return hash.toString(DIGITS_AND_LETTERS).padStart(ID_CHARACTERS, '0').slice(-ID_CHARACTERS);
}
