/** A ladder of the matrix, and the provider behind each name. */
export interface Ladder {
  readonly id: string;
  readonly name: string;
  readonly cheap: string;
  readonly strong: string;
}

export const LADDERS: readonly Ladder[] = [
  { id: 'gpt', name: 'GPT', cheap: 'openai/gpt-6-luna', strong: 'openai/gpt-6-sol' },
  {
    id: 'claude',
    name: 'Claude',
    cheap: 'anthropic/claude-haiku-4-5',
    strong: 'anthropic/claude-sonnet-5-5',
  },
  { id: 'gemini', name: 'Gemini', cheap: 'google/gemini-2.5-flash', strong: 'google/gemini-3.5-flash' },
  { id: 'mixed', name: 'mixed', cheap: 'openai/gpt-6-luna', strong: 'anthropic/claude-sonnet-5-5' },
];
