import { onTestFinished } from 'vitest';
import type { ProviderKind } from '../../router/catalog/index.ts';
import { startFakeProvider } from '../../scripts/fake-provider/index.ts';
import { type SeenCall, scriptedProvider } from './scripted-provider.ts';

export interface ReplyingProvider {
  readonly url: string;
  /** What it was asked, the latest last. */
  readonly bodies: () => readonly Record<string, unknown>[];
}

const MISTRAL = JSON.stringify({
  id: 'x',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Sun.' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 },
});
const BEDROCK = JSON.stringify({
  output: { message: { role: 'assistant', content: [{ text: 'Sun.' }] } },
  stopReason: 'end_turn',
  usage: { inputTokens: 7, outputTokens: 5, totalTokens: 12 },
  metrics: { latencyMs: 1 },
});

/** A provider of this kind that replies to whatever its API allows, and to nothing else if the fake provider knows its rules. */
export async function replyingProvider(kind: ProviderKind): Promise<ReplyingProvider> {
  if (kind === 'mistral' || kind === 'bedrock') {
    const { seen, url } = await scriptedProvider({ body: kind === 'mistral' ? MISTRAL : BEDROCK });
    return { url, bodies: () => seen.map(({ body }: SeenCall) => body) };
  }
  const upstream = await startFakeProvider({ strict: true });
  onTestFinished(() => upstream.close());
  return { url: upstream.url, bodies: () => upstream.requests.map(({ body }) => body) };
}

/** A model of today for each kind. */
export const MODELS: Readonly<Record<ProviderKind, string>> = {
  openai: 'gpt-6-sol',
  'openai-compatible': 'qwen3',
  anthropic: 'claude-haiku-4-5',
  google: 'gemini-2.5-flash',
  mistral: 'mistral-large-latest',
  bedrock: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
};
