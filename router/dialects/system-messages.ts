import type { Losses } from './losses.ts';
import type { PromptMessage, ProviderOptions } from './sdk-types.ts';
import type { Target } from './target.ts';

/** One text of a system prompt, with what a provider is told beside it. */
export interface SystemText {
  readonly text: string;
  readonly providerOptions?: ProviderOptions | undefined;
}

/** A system prompt of several texts: one message each if the target keeps them apart, else one, joined by an empty line. */
export function systemMessages(texts: readonly SystemText[], target: Target): PromptMessage[] {
  const said = texts.filter(({ text }) => text.trim() !== '');
  if (!target.separateSystemTexts) {
    return said.length > 0 ? [{ role: 'system', content: said.map(({ text }) => text).join('\n\n') }] : [];
  }
  return said.map(({ text, providerOptions }) => ({
    role: 'system',
    content: text,
    ...(providerOptions && { providerOptions }),
  }));
}

/**
 * A system message between other messages, in its place: as such if the target takes it, else as text of the user.
 * @throws PlimsollError if the rule is `refuse`, in the words by which Claude Code asks again without such messages
 */
export function laterSystemMessages(
  texts: readonly string[],
  path: readonly PropertyKey[],
  target: Target,
  losses: Losses,
): PromptMessage[] {
  const said = texts.filter((text) => text.trim() !== '');
  if (said.length === 0) return [];
  const content = said.join('\n\n');
  if (target.systemAnywhere) return [{ role: 'system', content }];
  losses.approximate([...path, 'role'], "role 'system' is not supported here by the chosen model's provider");
  return [{ role: 'user', content: [{ type: 'text', text: `<system>\n${content}\n</system>` }] }];
}
