import type { PromptMessage } from './sdk-types.ts';

/**
 * The results of a turn's tool calls directly behind that turn, and what the person said among them behind all of them. Every API wants
 * the results there; Anthropic's clients may put them around other blocks.
 */
export function resultsFirst(prompt: readonly PromptMessage[]): PromptMessage[] {
  const ordered: PromptMessage[] = [];
  let place = 0;
  for (const message of prompt) {
    if (message.role === 'assistant') {
      ordered.push(message);
      place = ordered.length;
    } else if (message.role !== 'tool') ordered.push(message);
    else {
      const before = ordered[place - 1];
      if (before?.role === 'tool') before.content.push(...message.content);
      else ordered.splice(place++, 0, { ...message, content: [...message.content] });
    }
  }
  return ordered;
}
